/* SPDX-License-Identifier: MIT */
/* The screens of `top`: totals and top lines, and the traceback of one line. For
 * offline code; one thread; write errors stay in the stream. */
#pragma once

#include <stdbool.h>

#include "output/terminal.h"
#include "profile/top_table.h"

struct top_view {
    const struct top_table *table; /* sorted */
    const struct profile *profile;
    enum top_order order;
    const char *note; /* printed before the program's name; NULL if none */
    uint64_t rss;     /* bytes; 0 if unknown */
    bool temporary;   /* whether the profile is of temporary blocks */
    uint64_t end;     /* of the sparkline: nanoseconds since the dump's start */
    size_t first;     /* index of the first row shown */
    size_t rows;      /* the most rows shown */
};

enum { TOP_REPORT_HEAD_LINES = 5 }; /* before the first row */

/* Prints TOP_REPORT_HEAD_LINES lines, then the rows. */
void top_report_print(const struct terminal *terminal, const struct top_view *view);

/* Prints the traceback of a row with its source lines, most recent call last; the
 * largest one if the row has several. */
void top_report_print_traceback(const struct terminal *terminal,
                                const struct profile *profile,
                                const struct top_table *table,
                                const struct top_row *row);

/* The column heading of an order. */
const char *top_report_order_name(enum top_order order);
