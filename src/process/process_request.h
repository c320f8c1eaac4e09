/* SPDX-License-Identifier: MIT */
/* A process that the command is to control: checked, asked by a signal, waited for.
 *
 * Offline code, one thread. A process is only signalled when it is the one that was
 * looked at (by a pidfd where the kernel has them), belongs to this user, and has a
 * handler for that signal: it is never harmed. Functions that return 0 or 1 have said
 * why by failure_print when it is 1.
 */
#pragma once

#include <stdbool.h>

#include "base/compiler.h"
#include "control/request.h"
#include "process/live_dump.h"
#include "process/process_status.h"

struct target {
    pid_t pid;
    int pidfd; /* -1: the kernel has none */
    struct process_status status;
    struct live_dump dump;
    int signal;       /* that it was last asked by */
    uint32_t cleared; /* the dump's, when it was opened */
};

/* Looks at the process and its dump: it is there, ours, and has the library. For one
 * without it, such as `tracemalloc run`, its nearest descendant is meant that is traced
 * or else could be; `pid` becomes its number. To be closed only after 0. */
must_check int target_open(struct target *target, pid_t pid);
void target_close(struct target *target);

/* Whether it traces into a dump. */
bool target_is_tracing(const struct target *target);
/* Whether it still has a handler for the signal that it was asked by. */
bool target_listens(struct target *target);

/* Asks, and waits for up to 5 s until `is_done` says yes, which looks at the process
 * anew. */
must_check int target_request(struct target *target, struct request request,
                              bool (*is_done)(struct target *target));
