/* SPDX-License-Identifier: MIT */
/* Text for people: as wide as the terminal and coloured there, plain and whole where it
 * goes elsewhere.
 *
 * For offline code; one thread at a time; the locale's LC_CTYPE is set. Texts of dumps
 * and source files are made harmless: no control character reaches the output. Write
 * errors stay in the stream, for the one who closes it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum terminal_style {
    TERMINAL_PLAIN,
    TERMINAL_STRONG,
    TERMINAL_FAINT,
    TERMINAL_NAME, /* of a file, or of what is told */
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
    size_t width; /* columns; 0 where it is no terminal */
};

void terminal_open(struct terminal *terminal, FILE *out);

/* The columns that are left behind those used; where it is no terminal, no end. */
size_t terminal_width_left(const struct terminal *terminal, size_t used);

/* Columns that the text takes once it is harmless. */
size_t terminal_columns(const struct terminal *terminal, const char *text,
                        size_t length);

/* The text; on a terminal as much of its end, or of its start, as fits into `width`
 * columns, with `...` for the rest. Returns the columns taken. */
size_t terminal_put_end(const struct terminal *terminal, enum terminal_style style,
                        const char *text, size_t length, size_t width);
size_t terminal_put_start(const struct terminal *terminal, enum terminal_style style,
                          const char *text, size_t length, size_t width);
