/* SPDX-License-Identifier: MIT */
/* The program's actions for the signals where the kernel has a handler of ours.
 *
 * A cover is such a handler. The program does not see it: around each function of libc
 * that reads or changes an action (signal_hooks.c) the cover is taken off, so that libc
 * and the kernel work on the program's own action, and then put on again. Three kinds:
 * SIGBUS (bus_guard), the signal of requests (agent), and each handler of the program
 * during which SIGBUS is blocked (see signal_window.h).
 *
 * Any thread and signal handler. A lock of its own, held with all signals blocked. In a
 * child of vfork, which shares this memory but not the kernel's actions, covers are
 * taken off and no memory is changed.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

struct signal_cover {
    void (*handle)(int number, siginfo_t *info, void *context);
    /* The flags and mask of the cover, from those of the program's action. */
    void (*arrange)(const struct sigaction *program, struct sigaction *ours);
    /* Where not NULL, the cover is for the default action only, and goes for good, with
     * this call, if the program takes the signal. */
    void (*taken)(void);
};

/* 0; -EBUSY where the cover is for the default action and the program has another one;
 * -EINVAL. `cover` lives as long as the process. */
must_check int signal_action_cover(int number, const struct signal_cover *cover);
/* What the program set; for the cover's handler. */
struct sigaction signal_action_program(int number);
/* Neither the default action nor to ignore the signal. */
bool signal_action_is_function(const struct sigaction *action);
/* Calls the program's handler, during which SIGBUS may be blocked. */
void signal_action_call(const struct sigaction *program, int number, siginfo_t *info,
                        void *context);
/* SA_RESETHAND: the program's handler is called for the last time. */
void signal_action_reset(int number);

/* Around a call that may change the action of a signal. */
struct signal_change {
    int number;    /* 0: nothing to do */
    bool held;     /* the lock; signals are blocked */
    uint64_t mask; /* the thread's, before */
};
/* `mask`: of the action that the program sets, or NULL. */
void signal_action_begin(struct signal_change *change, int number,
                         const sigset_t *mask);
/* For a function that works on the thread's mask too: it runs without the lock, and
 * with the mask as it was. */
void signal_action_release(struct signal_change *change);
void signal_action_end(struct signal_change *change);

/* A new program inherits that SIGBUS is ignored, which the kernel does not know of a
 * signal with a handler. Also in a child of vfork. */
void signal_action_before_exec(void);
void signal_action_exec_failed(void);

/* In the child of a fork. */
void signal_action_fork(void);
