/* SPDX-License-Identifier: MIT */
/* How a command says why it failed: one line on stderr, and an exit status.
 *
 * One thread; not from a signal handler.
 */
#pragma once

#include "base/compiler.h"

/* Prints one line `tracemalloc: TEXT` on stderr; control characters are replaced.
 * Returns 1, the exit status. */
must_check int failure_print(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* Prints such a line about what is no failure. */
void failure_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Called before either prints, unless NULL: erases a line of progress. */
extern void (*failure_clear_line)(void);
