/* SPDX-License-Identifier: MIT */
/* The dumps of a directory that `watch` follows. Reads each again as long as its
 * process runs, and once when it has ended. Allocates; one thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "leak/leak_report.h"
#include "show/watch_report.h"

struct watch_entry {
    struct watch_row row;
    dev_t device;
    ino_t inode;
    uint64_t start_time;
    uint32_t state; /* of the header, as last read: another process may complete it */
    int oom_killed;
    char *reported; /* the state that was reported last; NULL: none */
    bool is_seen;   /* in this scan */
    bool has_ended; /* as last read */
};

/* Is called for each dump that was read, or (`reader` NULL) could not be. Returns 0 or
 * -errno to end the scan. */
typedef int watch_directory_report(void *input, struct watch_entry *entry,
                                   const struct dump_reader *reader,
                                   const struct leak_report *report);

struct watch_directory {
    const char *path;
    int fd;
    struct watch_entry *entries;
    size_t count, capacity;
    size_t next;                   /* where the next dump is expected */
    const struct watch_row **rows; /* of the entries, sorted */
    size_t row_capacity;
    char note[256]; /* of files that could not be opened; empty: there are none */
    size_t unreadable;
    bool shows_progress;
    watch_directory_report *report; /* may be NULL */
    void *input;                    /* its */
};

/* Opens a directory. 0, or 1 after failure_print. */
must_check int watch_directory_open(struct watch_directory *directory,
                                    const char *path);
/* Reads what is new or runs. 0, or -errno, also of `report`. */
must_check int watch_directory_scan(struct watch_directory *directory);
void watch_directory_close(struct watch_directory *directory);
