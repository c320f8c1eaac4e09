/* SPDX-License-Identifier: MIT */
/* The one place where text of others (names in dumps, files, processes) is let out to
 * people, on standard output and on standard error.
 *
 * What hidden_character names becomes `?`. For offline code; one thread at a time; the
 * locale's LC_CTYPE is set.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "output/unicode.h"

/* What is printed for a code point, and how wide it is: returns its bytes in `out`, at
 * most UNICODE_MAX_BYTES. A surrogate that stands for a byte is that byte again where
 * it is no terminal, which could take it for anything. */
size_t terminal_text_show(uint32_t point, bool interactive, char *out, size_t *columns);

/* One line of such text, which ends with a newline. */
void terminal_text_line(FILE *out, const char *text);

/* The same text in a buffer of the caller's, cut to its size, with a NUL. */
void terminal_text_copy(char *out, size_t size, const char *text, bool interactive);
