/* SPDX-License-Identifier: MIT */
#include "show/plot.h"

#include <stdio.h>

enum { EIGHTHS = 8 };

static const char *const up[EIGHTHS + 1] = {" ", "▁", "▂", "▃", "▄",
                                            "▅", "▆", "▇", "█"};
static const char *const right[EIGHTHS + 1] = {"",  "▏", "▎", "▍", "▌",
                                               "▋", "▊", "▉", "█"};
static const char ascii[EIGHTHS + 1] = " ..::||#";

/* How many eighths of a row's height a value fills. What is not nothing is seen. */
static size_t fill_of(double value, double max, size_t row, size_t rows) {
    size_t below = (rows - 1 - row) * EIGHTHS;
    if (!(value > 0) || !(max > 0))
        return 0;
    double height = value / max * (double)(rows * EIGHTHS);
    size_t fill = height >= (double)(rows * EIGHTHS) ? rows * EIGHTHS : (size_t)height;
    fill = fill > 0 ? fill : 1;
    if (fill <= below)
        return 0;
    return fill - below < EIGHTHS ? fill - below : EIGHTHS;
}

void plot_row(const struct terminal *terminal, const double *values, size_t count,
              double max, size_t row, size_t rows) {
    for (size_t i = 0; i < count; i++) {
        size_t fill = fill_of(values[i], max, row, rows);
        if (terminal->unicode)
            fputs(up[fill], terminal->out);
        else
            fputc(ascii[fill == EIGHTHS ? EIGHTHS - 1 : fill], terminal->out);
    }
}

size_t plot_bar(const struct terminal *terminal, double share, size_t columns) {
    double length = share > 0 ? share * (double)columns : 0;
    length = length < (double)columns ? length : (double)columns;
    size_t whole = (size_t)length, eighths = (size_t)((length - (double)whole) * 8);
    for (size_t i = 0; i < whole; i++)
        fputs(terminal->unicode ? right[EIGHTHS] : "#", terminal->out);
    bool partly = terminal->unicode && whole < columns && eighths > 0;
    if (partly)
        fputs(right[eighths], terminal->out);
    return whole + partly;
}
