/* SPDX-License-Identifier: MIT */
/* Prints what `leaks` found, for people. For offline code; one thread at a time; write
 * errors stay in the stream. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "leak/leak_report.h"
#include "output/terminal.h"
#include "show/leaks_document.h"

/* `title`: the process, or how many there are. `limit`: entries to show at most;
 * `verbose`: all there is to say of each. */
void leaks_text_print(const struct terminal *terminal,
                      const struct leaks_document *document, const char *title,
                      size_t limit, bool verbose);

enum { LEAKS_TEXT_SIZE = 48 };
/* `+38.2 MiB/h`, or with a minus; in a unit of time in which it is a number to
 * remember. */
void leaks_text_rate(char text[LEAKS_TEXT_SIZE], double bytes_per_second);
/* `3 h 12 min`. */
void leaks_text_time(char text[LEAKS_TEXT_SIZE], double seconds);
