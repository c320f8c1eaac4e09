/* SPDX-License-Identifier: MIT */
/* Controls a traced process: checks it, sends a request by signal, and waits for the
 * effect.
 *
 * Offline code, one thread. A process is signalled only if it is the one that was
 * checked (by a pidfd if the kernel supports it), belongs to this user, and has a
 * handler for the signal, so that it is never harmed. Functions that return 1 have
 * reported why with failure_print.
 */
#pragma once

#include <stdbool.h>

#include "base/compiler.h"
#include "control/request.h"
#include "process/live_dump.h"
#include "process/process_status.h"

struct target {
    pid_t pid;
    int pidfd; /* -1 if the kernel does not support it */
    struct process_status status;
    struct live_dump dump;
    int signal;       /* of the last request */
    uint32_t cleared; /* the header's `cleared` when the target was opened */
    uint32_t census;  /* its `census_number`, likewise */
};

/* Checks that the process exists, belongs to this user and has the library loaded. If
 * it does not have the library, such as `tracemalloc run`, the target is its nearest
 * descendant that is traced or else could be, and target->pid is that one's. 0 or 1;
 * must be closed only after 0. */
must_check int target_open(struct target *target, pid_t pid);
void target_close(struct target *target);

/* Whether the process is writing a dump. */
bool target_is_tracing(const struct target *target);
/* Whether the process still has a handler for the signal of the last request. */
bool target_listens(struct target *target);

/* Sends a request, and polls `is_done`, which examines the process again, for up to 5
 * s; longer while the process counts its objects by type. 0 or 1. */
must_check int target_request(struct target *target, struct request request,
                              bool (*is_done)(struct target *target));
