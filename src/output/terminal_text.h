/* SPDX-License-Identifier: MIT */
/* The only way for untrusted text (names from dumps, files, processes) to reach people,
 * on standard output and standard error.
 *
 * Characters in hidden_character are replaced by `?`. For offline code; one thread at a
 * time; LC_CTYPE must be set.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "output/unicode.h"

/* Writes to `out` what is printed for a code point, at most UNICODE_MAX_BYTES, and sets
 * *columns to its width. Returns the number of bytes. A surrogate that represents an
 * invalid byte becomes that byte, except on a terminal, which might interpret it. */
size_t terminal_text_show(uint32_t point, bool interactive, char *out, size_t *columns);

/* Prints a line of such text and a newline. */
void terminal_text_line(FILE *out, const char *text);

/* Writes the same text to a buffer, cut to its size and NUL-terminated. */
void terminal_text_copy(char *out, size_t size, const char *text, bool interactive);
