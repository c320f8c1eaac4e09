/* SPDX-License-Identifier: MIT */
/* A dump that is looked at again and again: of a process by its id, or by its file.
 *
 * Offline code, one thread. The process is not asked and does not notice. When one
 * that was named by its id traces into a new dump, that one is watched from then on.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "dump/dump_reader.h"
#include "process/process_status.h"

struct watched {
    pid_t pid;                    /* as we see it; 0: a file was named */
    int fd;                       /* of the dump */
    const char *name;             /* as it was named */
    struct process_status parent; /* the process named, where a child of it is meant;
                                     else its pid is 0 */
};

/* A process id, or the name of a file. Where the process is not traced itself, its
 * nearest descendant that is. 0; or 1 after saying why not. */
must_check int watched_open(struct watched *watched, const char *name);

void watched_close(struct watched *watched);

/* Reads the dump afresh, or the next one of the same process where this one is ended
 * (`ended`: as it was last read). 0 or -errno. */
must_check int watched_read(struct watched *watched, bool ended,
                            struct dump_reader **reader);

/* What to say of a parent, `child of 4242`; NULL without one. */
const char *watched_describe(const struct watched *watched, char *text, size_t size);

/* Resident bytes of the process that a dump is of, now; of the end of its timeline
 * where it is gone. 0 where it is not known. */
uint64_t watched_rss(const struct watched *watched, const struct dump_reader *reader);
