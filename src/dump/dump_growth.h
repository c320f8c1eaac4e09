/* SPDX-License-Identifier: MIT */
/* How the file under a dump grows, without a descriptor that stays open.
 *
 *    0          file_size          reach
 *    | extents  | hole             |
 *                 ^ the next extent
 *
 * The file ends at `reach`, some way behind what belongs to the dump; what is between
 * is a hole and takes no blocks. An extent is added by the file's name. Where the name
 * does not lead there any more, since the process changed its user, its root or its
 * limits, the mapping of the file's last page is stretched over the hole, which needs
 * no descriptor, and the kernel is asked for the blocks (MADV_POPULATE_WRITE, Linux
 * 5.14): an error there is an error here, never a SIGBUS later. In the traced process,
 * under the tracer's lock; see dump/dump_file.h.
 */
#pragma once

#include "base/compiler.h"
#include "dump/dump_memory.h"

enum { DUMP_GROWTH_AHEAD = 64 << 20 }; /* bytes from file_size to reach */

/* Blocks for a range of the file. 0, or -errno: -EFBIG at the bound of the dump, -EDOM
 * at RLIMIT_FSIZE. */
must_check int dump_growth_allocate(const struct dump_file *file, int fd,
                                    uint64_t offset, uint64_t length);
/* Whether a file of this size is within the dump's bound and RLIMIT_FSIZE: 0, -EFBIG or
 * -EDOM. */
must_check int dump_growth_check(const struct dump_file *file, uint64_t size);

/* Moves the end of the file on, at most to `reach` and not past any bound. It is only a
 * help, and may fail. */
void dump_growth_reach(struct dump_file *file, int fd, uint64_t reach);
/* The same by the file's name, as far as the bounds allow: the process is about to
 * lose rights. */
void dump_growth_reach_all(struct dump_file *file);
/* Cuts off what does not belong to the dump, if the name still leads there. */
void dump_growth_trim(struct dump_file *file);

/* Maps the next `length` bytes of the file at `to`. 0, or -errno. */
must_check int dump_growth_map(struct dump_file *file, void *to, uint64_t length);
