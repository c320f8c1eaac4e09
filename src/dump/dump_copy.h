/* SPDX-License-Identifier: MIT */
/* Writes the dump of this process, as it is now, to another file.
 *
 * Under the tracer's lock, so that it does not change meanwhile. The kernel copies from
 * the tables' own memory; no more is allocated than one header. errno is unchanged.
 */
#pragma once

#include <stdbool.h>

#include "base/compiler.h"
#include "dump/dump_memory.h"

/* What is different in the copy's header. Its state is SNAPSHOT. */
struct dump_copy {
    uint64_t end_time; /* nanoseconds since the epoch */
    uint32_t reached_percent;
    uint64_t reached_bytes;
    /* Memory is scarce: of the new file's pages, few are in memory at once. */
    bool spares_memory;
};

/* To a new file with mode 0600. 0; or -errno, and no file is left. */
must_check int dump_copy_to(const struct dump_file *file, const char *path,
                            const struct dump_copy *copy);
/* The same, but if the name exists, adds the next free suffix, and sets `path` to the
 * absolute name. `room`: bytes of memory that a file may take where files are in
 * memory; -ENOMEM if it would take more. */
must_check int dump_copy_to_free_name(const struct dump_file *file, const char *name,
                                      const struct dump_copy *copy, uint64_t room,
                                      char path[PATH_MAX]);
