/* SPDX-License-Identifier: MIT */
/* The dumps written by the processes of one `tracemalloc run`, and the copies that they
 * made of them: finds them by name and
 * run id, adds what only a parent knows, and lists them.
 *
 * Offline code, one thread; allocates. Other files with such names are not changed.
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

struct run_dump_list {
    struct run_dump *dumps; /* by start_time */
    size_t count;
    size_t capacity;
};

struct run_dumps {
    uint64_t run_id;
    struct run_dump_list own;
    struct run_dump_list copies; /* of TRACEMALLOC_SNAPSHOT_AT */
};

/* How the program ended. */
struct run_end {
    pid_t pid;
    int wait_status; /* of waitpid(2) */
    int oom_killed;  /* whether the OOM killer was active while it ran; -1 if unknown */
};

/* Finds all dumps with the run's id, in the pattern's directory and in the library's
 * fallback directories ($TMPDIR, /tmp). 0 or -ENOMEM. */
must_check int run_dumps_find(struct run_dumps *dumps, const char *pattern,
                              uint64_t run_id);

/* Writes how the program ended into the dumps of processes that did not do so
 * themselves. */
void run_dumps_finish(const struct run_dumps *dumps, const struct run_end *end);

/* Writes the names as `first.dump, second.dump and 3 more`, relative to the working
 * directory if they are in it. */
void run_dumps_list(const struct run_dump_list *list, char *line, size_t size);

void run_dumps_free(struct run_dumps *dumps);
