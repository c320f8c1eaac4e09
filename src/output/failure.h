/* SPDX-License-Identifier: MIT */
/* Reports the failure of a command: one line on stderr, and an exit status.
 *
 * One thread; not from a signal handler.
 */
#pragma once

#include "base/compiler.h"

/* Prints one line `tracemalloc: TEXT` on stderr; control characters are replaced.
 * Returns 1, the exit status. */
must_check int failure_print(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* Prints such a line about something that is not a failure. */
void failure_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Unless NULL, called before either prints, to erase a line of progress. */
extern void (*failure_clear_line)(void);
