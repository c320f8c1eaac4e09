/* SPDX-License-Identifier: MIT */
/* Handlers of ours in front of the program's actions.
 *
 * A cover is such a handler. The program never sees it: signal_hooks.c takes the cover
 * off around each function of libc that reads or changes an action, so that libc and
 * the kernel work on the program's own action, and then puts it on again. There are
 * three kinds: for SIGBUS (bus_guard), for the signal of requests (agent), and for each
 * handler of the program during which SIGBUS is blocked (see signal_window.h).
 *
 * Any thread and signal handler. Has a lock of its own, held with all signals blocked.
 * A child of vfork shares this memory but not the kernel's actions: there covers are
 * taken off, and no memory is changed.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

struct signal_cover {
    void (*handle)(int number, siginfo_t *info, void *context);
    /* Sets the flags and mask of the cover from those of the program's action. */
    void (*arrange)(const struct sigaction *program, struct sigaction *ours);
    /* If not NULL, the cover is for the default action only: it is removed for good,
     * and this is called, as soon as the program takes the signal. */
    void (*taken)(void);
};

/* 0; -EBUSY if the cover is for the default action only and the program has set
 * another; -EINVAL. `cover` must live as long as the process. */
must_check int signal_action_cover(int number, const struct signal_cover *cover);
/* Takes all covers off for good. */
void signal_action_uncover(void);
/* The action that the program set; for the cover's handler. */
struct sigaction signal_action_program(int number);
/* Whether the action is neither the default nor to ignore the signal. */
bool signal_action_is_function(const struct sigaction *action);
/* Calls the program's handler, during which SIGBUS may be blocked. */
void signal_action_call(const struct sigaction *program, int number, siginfo_t *info,
                        void *context);
/* Before a handler with SA_RESETHAND is called: its action becomes the default. */
void signal_action_reset(int number);

/* Around a call that may change the action of a signal. */
struct signal_change {
    int number;    /* 0: nothing to do */
    bool held;     /* the lock is held, and all signals are blocked */
    uint64_t mask; /* of the thread, before */
};
/* `mask` is that of the action that the program sets, or NULL. */
void signal_action_begin(struct signal_change *change, int number,
                         const sigset_t *mask);
/* Before a function that also works on the thread's mask: releases the lock and
 * restores the mask. */
void signal_action_release(struct signal_change *change);
void signal_action_end(struct signal_change *change);

/* A new program inherits that a signal is ignored, but not under a handler: before an
 * exec a SIGBUS that the program ignores is ignored without its cover. Also in a child
 * of vfork. */
void signal_action_before_exec(void);
void signal_action_exec_failed(void);

/* In the child of a fork. */
void signal_action_fork(void);
