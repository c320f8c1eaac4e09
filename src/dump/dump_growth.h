/* SPDX-License-Identifier: MIT */
/* Grows the file of a dump, without keeping a descriptor open.
 *
 *    0          file_size          reach
 *    | extents  | hole             |
 *                 ^ the next extent
 *
 * The file ends at `reach`, beyond file_size; the range between is a hole, which takes
 * no blocks. To add an extent, the file is opened by name. If that fails because the
 * process changed its user, its root or its limits, the mapping of the file's last page
 * is extended over the hole, which needs no descriptor, and the kernel allocates the
 * blocks (MADV_POPULATE_WRITE, Linux 5.14), so that an error is returned at once
 * instead of a SIGBUS later. In the traced process, under the tracer's lock; see
 * dump/dump_file.h.
 */
#pragma once

#include "base/compiler.h"
#include "dump/dump_memory.h"

enum { DUMP_GROWTH_AHEAD = 64 << 20 }; /* bytes from file_size to reach */

/* Allocates blocks for a range of the file. 0 or -errno: -EFBIG at the dump's max_size,
 * -EDOM at RLIMIT_FSIZE. */
must_check int dump_growth_allocate(const struct dump_file *file, int fd,
                                    uint64_t offset, uint64_t length);
/* Checks that a file of this size is within the dump's max_size and RLIMIT_FSIZE: 0,
 * -EFBIG or -EDOM. */
must_check int dump_growth_check(const struct dump_file *file, uint64_t size);

/* Extends the hole at the end of the file, at most to `reach` and within all limits.
 * May fail, with no effect but that growth may fail later. */
void dump_growth_reach(struct dump_file *file, int fd, uint64_t reach);
/* The same by the file's name, up to the limits: the process is about to lose
 * rights. */
void dump_growth_reach_all(struct dump_file *file);
/* Truncates the file to file_size, if it can still be opened by name. */
void dump_growth_trim(struct dump_file *file);

/* Maps the next `length` bytes of the file at `to`. 0, or -errno. */
must_check int dump_growth_map(struct dump_file *file, void *to, uint64_t length);
