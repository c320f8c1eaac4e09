/* SPDX-License-Identifier: MIT */
/* A window in which this thread can receive SIGBUS, around each access to the dump.
 *
 * If another process truncates the dump, the next access to a page behind its end
 * raises SIGBUS, and if the thread blocks the signal, the kernel kills the process,
 * whatever handler it has. So if the program's mask blocks SIGBUS, the tracer unblocks
 * it for the access and blocks it again. A SIGBUS that was sent and arrives in the
 * window is sent again when the window closes, so that the program finds it pending.
 * (If one thread waits for SIGBUS in sigwaitinfo while another is in a window, the wait
 * may fail with EINTR; a repeated wait finds the signal.)
 *
 * A thread pays for this only while it blocks SIGBUS: two system calls per event.
 * Otherwise a flag says that it does not. Whatever may change the mask (the functions
 * of libc in signal_hooks.c, and a handler whose mask contains SIGBUS) clears the flag,
 * and the next event asks the kernel. A new thread starts with the flag clear.
 *
 * Any thread and signal handler. errno is unchanged.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>

#include "base/compiler.h"

/* SIGBUS is known not to be blocked in this thread. */
extern internal thread_local_fixed volatile bool signal_window_needless;

/* Opens the window if the thread blocks SIGBUS. Whether it did, and signal_window_close
 * must follow. `learn`: if there was no need, sets signal_window_needless; false in a
 * thread that is ending, because libc itself changes its mask. */
bool signal_window_open(bool learn);
void signal_window_close(void);

/* The mask may have changed: the next event asks the kernel. */
void signal_window_forget(void);
/* In the child of a fork. */
void signal_window_fork(void);
/* Around a signal handler of the program whose mask may block SIGBUS. */
bool signal_window_suspend(void);
void signal_window_resume(bool was_open);

/* In a handler, for a SIGBUS that was sent: whether it arrived in a window. If so, the
 * signal is sent again when the window closes. */
bool signal_window_defer(const siginfo_t *info);
/* Whether the thread is in a window: the program's mask blocks SIGBUS. */
bool signal_window_is_open(void);
