/* SPDX-License-Identifier: MIT */
/* Bars and small plots from block characters, or from plain ASCII where the locale has
 * no others. For offline code; one thread; write errors stay in the stream. */
#pragma once

#include <stddef.h>

#include "output/terminal.h"

/* One row of a bar chart over `count` columns, of `rows` rows that reach up to `max`;
 * row 0 is the top. */
void plot_row(const struct terminal *terminal, const double *values, size_t count,
              double max, size_t row, size_t rows);

/* A bar from left to right: `share` (0 to 1) of `columns`. Returns the columns
 * taken. */
size_t plot_bar(const struct terminal *terminal, double share, size_t columns);
