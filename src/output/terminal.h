/* SPDX-License-Identifier: MIT */
/* Prints text for people: on a terminal in colour and cut to its width, elsewhere plain
 * and complete.
 *
 * For offline code; one thread at a time; LC_CTYPE must be set. Texts of dumps and
 * source files are made harmless: no control character is printed. Write errors stay in
 * the stream, for the function that closes it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum terminal_style {
    TERMINAL_PLAIN,
    TERMINAL_STRONG,
    TERMINAL_FAINT,
    TERMINAL_NAME, /* file names and labels */
    TERMINAL_GROWN,
    TERMINAL_SHRUNK,
    TERMINAL_WARNING,
};

enum { TERMINAL_MIN_WIDTH = 40 };

struct terminal {
    FILE *out;
    bool interactive; /* a terminal: lines are cut to `width` columns */
    bool colour;
    bool unicode; /* lines and bars can be drawn */
    size_t width; /* columns; 0 if it is not a terminal */
};

void terminal_open(struct terminal *terminal, FILE *out);

/* The columns left in a line after those used; SIZE_MAX if it is not a terminal. */
size_t terminal_width_left(const struct terminal *terminal, size_t used);

/* The columns that the text takes once it is made harmless. */
size_t terminal_columns(const struct terminal *terminal, const char *text,
                        size_t length);

/* Prints a text; on a terminal only as much of its end, or of its start, as fits into
 * `width` columns, with `...` for the rest. Returns the columns taken. */
size_t terminal_put_end(const struct terminal *terminal, enum terminal_style style,
                        const char *text, size_t length, size_t width);
size_t terminal_put_start(const struct terminal *terminal, enum terminal_style style,
                          const char *text, size_t length, size_t width);
/* Prints the start of a text in what is left of a line after `used` columns, and ends
 * the line. */
void terminal_put_line(const struct terminal *terminal, enum terminal_style style,
                       const char *text, size_t length, size_t used);
/* Prints a whole line, as printf; nothing if there is no memory. */
__attribute__((format(printf, 3, 4))) void
terminal_print_line(const struct terminal *terminal, enum terminal_style style,
                    const char *format, ...);
