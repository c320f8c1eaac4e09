/* SPDX-License-Identifier: MIT */
/* A window in which this thread can take SIGBUS, around each touch of the dump.
 *
 * If another process cuts the dump off, the next touch of a page that is gone raises
 * SIGBUS, and the kernel ends a process that blocks the signal, whatever handler it
 * has. The thread's mask is the program's and stays as it is: where it may block SIGBUS
 * the tracer unblocks it, works, and blocks it again. A SIGBUS that was sent and comes
 * in between waits until then, so that the program finds it pending. (Where one thread
 * waits for SIGBUS in sigwaitinfo while another is in a window, the wait may end with
 * EINTR, and finds the signal when it is repeated.)
 *
 * A thread pays for this only while it blocks SIGBUS: two system calls per event.
 * Otherwise one byte says that it does not. Whatever may change the mask (the functions
 * of libc in signal_hooks.c, and a handler whose mask has SIGBUS) clears the byte, and
 * the next event asks the kernel. A new thread starts with the byte clear.
 *
 * Any thread and signal handler. errno stays as it was.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>

#include "base/compiler.h"

/* SIGBUS is known not to be blocked in this thread. */
extern internal thread_local_fixed volatile bool signal_window_needless;

/* Whether signal_window_close has to follow. `learn`: remembers if there was no need;
 * not in a thread that is ending, whose mask libc changes by itself. */
bool signal_window_open(bool learn);
void signal_window_close(void);

/* The mask may have changed: the next event asks the kernel. */
void signal_window_forget(void);
/* In the child of a fork. */
void signal_window_fork(void);
/* Around a handler of the program during which SIGBUS may be blocked. */
bool signal_window_suspend(void);
void signal_window_resume(bool was_open);

/* In a handler of SIGBUS that was sent: whether it came only because of a window. Then
 * it is sent again when the window closes. */
bool signal_window_defer(const siginfo_t *info);
/* Whether SIGBUS is blocked but for a window. */
bool signal_window_is_open(void);
