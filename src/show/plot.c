/* SPDX-License-Identifier: MIT */
#include "show/plot.h"

#include <stdio.h>

enum { EIGHTHS = 8 };

static const char *const vertical[EIGHTHS + 1] = {" ", "▁", "▂", "▃", "▄",
                                                  "▅", "▆", "▇", "█"};
static const char *const horizontal[EIGHTHS + 1] = {"",  "▏", "▎", "▍", "▌",
                                                    "▋", "▊", "▉", "█"};
static const char ascii[EIGHTHS + 1] = " ..::||#";

/* How many eighths of the row's height a value fills. A positive value fills at least
 * one of the bottom row. */
static size_t fill_of(double value, double max, size_t row, size_t rows) {
    size_t lower_rows = (rows - 1 - row) * EIGHTHS;
    if (!(value > 0) || !(max > 0))
        return 0;
    double height = value / max * (double)(rows * EIGHTHS);
    size_t fill = height >= (double)(rows * EIGHTHS) ? rows * EIGHTHS : (size_t)height;
    fill = fill > 0 ? fill : 1;
    if (fill <= lower_rows)
        return 0;
    return fill - lower_rows < EIGHTHS ? fill - lower_rows : EIGHTHS;
}

void plot_row(const struct terminal *terminal, const double *values, size_t count,
              double max, size_t row, size_t rows) {
    for (size_t i = 0; i < count; i++) {
        size_t fill = fill_of(values[i], max, row, rows);
        if (terminal->unicode)
            fputs(vertical[fill], terminal->out);
        else
            fputc(ascii[fill == EIGHTHS ? EIGHTHS - 1 : fill], terminal->out);
    }
}

size_t plot_bar(const struct terminal *terminal, double share, size_t columns) {
    double length = share > 0 ? share * (double)columns : 0;
    length = length < (double)columns ? length : (double)columns;
    size_t whole = (size_t)length, eighths = (size_t)((length - (double)whole) * 8);
    for (size_t i = 0; i < whole; i++)
        fputs(terminal->unicode ? horizontal[EIGHTHS] : "#", terminal->out);
    bool partly = terminal->unicode && whole < columns && eighths > 0;
    if (partly)
        fputs(horizontal[eighths], terminal->out);
    return whole + partly;
}
