/* SPDX-License-Identifier: MIT */
/* Draws bars and small plots with block characters, or with ASCII if the locale is not
 * UTF-8. For offline code; one thread; write errors stay in the stream. */
#pragma once

#include <stddef.h>

#include "output/terminal.h"

/* Draws one row of a bar chart of `count` columns and `rows` rows, whose full height is
 * `max`. Row 0 is the top. */
void plot_row(const struct terminal *terminal, const double *values, size_t count,
              double max, size_t row, size_t rows);

/* Draws a bar from left to right: `share` (0 to 1) of `columns`. Returns the columns
 * taken. */
size_t plot_bar(const struct terminal *terminal, double share, size_t columns);
