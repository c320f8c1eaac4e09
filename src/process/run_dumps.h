/* SPDX-License-Identifier: MIT */
/* The dumps that the processes of one `tracemalloc run` wrote: found by their names and
 * the run's id, completed with what only a parent knows, and named for the user.
 *
 * Offline code, one thread; allocates. Files that only look like such dumps are not
 * touched.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "dump/dump_process.h"

struct run_dump {
    char *path;
    uint64_t device, inode;
    struct tracemalloc_dump_header header; /* as found */
    enum dump_process_state process;       /* as found, with the header */
};

struct run_dumps {
    uint64_t run_id;
    struct run_dump *dumps; /* by start_time */
    size_t count;
};

/* How the program ended. */
struct run_end {
    pid_t pid;
    int wait_status; /* of waitpid(2) */
    int oom_killed;  /* whether the OOM killer struck meanwhile; -1 when that cannot be
                        known */
};

/* All dumps with the run's id where the pattern or the library's fallback folders
 * ($TMPDIR, /tmp) put them. 0 or -ENOMEM. */
must_check int run_dumps_find(struct run_dumps *dumps, const char *pattern,
                              uint64_t run_id);

/* Writes the end into the dumps whose processes did not do so themselves. */
void run_dumps_finish(const struct run_dumps *dumps, const struct run_end *end);

/* Their names in a line's words, `first.dump, second.dump and 3 more`; those below the
 * working directory without it. */
void run_dumps_list(const struct run_dumps *dumps, char *line, size_t size);

void run_dumps_free(struct run_dumps *dumps);
