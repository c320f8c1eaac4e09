/* SPDX-License-Identifier: MIT */
/* libc's sigaction and signal, which hide the library's own handlers from the program.
 */
#pragma once

#include <signal.h>

#include "base/compiler.h"

/* Handles a signal that the program has left at its default, with all signals blocked
 * meanwhile. taken: called when the program takes the signal for itself; then the
 * handler is gone. 0; -EBUSY if the signal is in use, or another one is handled
 * already. */
must_check int signal_hooks_handle(int number,
                                   void (*handler)(int, siginfo_t *, void *),
                                   void (*taken)(void));
