/* SPDX-License-Identifier: MIT */
/* Reads the status of another process from /proc/PID: its user, its state, the signals
 * that it handles.
 *
 * Offline code, one thread; nothing stays open or allocated. Every result may already
 * be out of date: the process may have ended or changed in the meantime.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"

struct process_status {
    pid_t pid;
    pid_t tgid;       /* differs from pid for a thread */
    uint32_t own_pid; /* in the process's own PID namespace */
    uint64_t start;   /* clock ticks since boot; with the pid, identifies a process */
    uid_t uid;        /* real user */
    char state;       /* R, S, D, T, t, Z ... (proc(5)) */
    uint64_t caught;  /* signals with a handler: bit n - 1 is signal n */
};

/* 0, -ESRCH if there is no such process, or -errno. */
must_check int process_status_read(pid_t pid, struct process_status *out);

/* A number of /proc/PID/status, also of a thread: of the line that begins with this
 * name. 0 without it. */
long process_status_number(pid_t pid, const char *name);

bool process_status_is_ours(const struct process_status *status);
bool process_status_catches(const struct process_status *status, int number);

/* Whether a signal or a debugger has stopped the process. */
bool process_status_is_held(const struct process_status *status);

/* Whether all of its threads block the signal. */
bool process_status_blocks(pid_t pid, int number);

/* The signal by which the process takes requests while it is not traced; 0: it takes
 * none. The library's own number; where its memory may not be read, TRACEMALLOC_SIGNAL
 * in the initial environment, else the default. */
int process_status_request_signal(pid_t pid);
