/* SPDX-License-Identifier: MIT */
/* Shows the progress of long work on stderr, if that is a terminal.
 *
 * The line appears after a while, from a timer's signal handler, so that the work
 * itself need not check the clock. One thread.
 */
#pragma once

/* Sets the text, which is cut to the terminal's width. */
void progress_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Erases the line. Must be called before anything else is printed. */
void progress_end(void);
