/* SPDX-License-Identifier: MIT */
/* What long work is at, on the terminal of stderr; nothing where stderr goes elsewhere.
 *
 * The line appears when the work has taken a while, by a timer's signal, so that the
 * work itself need not look at the clock. One thread.
 */
#pragma once

/* From now on the command is at this; cut to the terminal's width. */
void progress_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Takes the line away: before anything else is printed. */
void progress_end(void);
