/* SPDX-License-Identifier: MIT */
/* What the kernel tells of another process in /proc/PID: its user, its state, the
 * signals that it takes.
 *
 * Offline code, one thread; nothing stays open or allocated. Every answer is already
 * old when it arrives: the process may have ended or changed meanwhile.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"

struct process_status {
    pid_t pid;
    pid_t tgid;       /* another number than pid: a thread */
    uint32_t own_pid; /* as the process itself sees it, in its pid namespace */
    uint64_t start;   /* clock ticks since boot: with the pid, the name of a process */
    uid_t uid;        /* real user */
    char state;       /* R, S, D, T, t, Z ... (proc(5)) */
    uint64_t caught;  /* signals with a handler: bit n - 1 is signal n */
};

/* 0; -ESRCH when there is no such process; else -errno. */
must_check int process_status_read(pid_t pid, struct process_status *out);

bool process_status_is_ours(const struct process_status *status);
bool process_status_catches(const struct process_status *status, int number);

/* Whether a signal or a debugger holds the whole process. */
bool process_status_is_held(const struct process_status *status);

/* Whether each of its threads blocks the signal. */
bool process_status_blocks(pid_t pid, int number);

/* The signal that its library listens to while it does not trace: TRACEMALLOC_SIGNAL of
 * the environment it was started with, else the default. */
int process_status_request_signal(pid_t pid);
