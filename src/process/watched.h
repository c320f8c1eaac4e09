/* SPDX-License-Identifier: MIT */
/* A dump that `top` polls and `push` reads, named by its process id or its file.
 *
 * Offline code, one thread. The process is not disturbed. If it was named by its id and
 * begins a new dump, that dump is read from then on.
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
    pid_t pid;                    /* in this PID namespace; 0 if a file was named */
    int fd;                       /* of the dump */
    const char *name;             /* the argument */
    struct process_status parent; /* the process named, if its child is watched; else
                                     its pid is 0 */
};

/* Whether a name is a process id, and not that of a file. */
bool watched_is_process(const char *name);

/* `name` is a process id or the name of a file. If the process itself is not traced,
 * its nearest descendant that is traced is watched. 0; or 1 after reporting why not. */
must_check int watched_open(struct watched *watched, const char *name);

void watched_close(struct watched *watched);

/* Reads the dump again; if it has ended (`ended`, as last read), the process's next
 * dump if there is one. 0 or -errno. */
must_check int watched_read(struct watched *watched, bool ended,
                            struct dump_reader **reader);

/* Describes the relation to the process named, such as `child of 4242`; NULL if that is
 * the traced process itself. */
const char *watched_describe(const struct watched *watched, char *text, size_t size);

/* The current resident bytes of the dump's process; if it is gone, those of the last
 * sample. 0 if unknown. */
uint64_t watched_rss(const struct watched *watched, const struct dump_reader *reader);
