/* SPDX-License-Identifier: MIT */
/* The screens of `top`: totals and top lines, and the traceback of one. For offline
 * code; one thread; write errors stay in the stream. */
#pragma once

#include "output/terminal.h"
#include "profile/top_table.h"

/* What the screen tells beside the table. */
struct top_view {
    const struct top_table *table; /* sorted */
    const struct profile *profile;
    enum top_order order;
    const char *note; /* before the program's name; NULL: none */
    uint64_t rss;     /* bytes, 0 where it is not known */
    uint64_t end;     /* of the sparkline: nanoseconds since the dump's start */
    size_t first;     /* row shown first */
    size_t rows;      /* shown at most */
};

enum { TOP_REPORT_HEAD_LINES = 5 }; /* before the first row */

/* TOP_REPORT_HEAD_LINES lines, then the rows. */
void top_report_print(const struct terminal *terminal, const struct top_view *view);

/* The most recent frame of a row last, each with its line of source: of the traceback
 * that holds most, where there are several. */
void top_report_print_traceback(const struct terminal *terminal,
                                const struct profile *profile,
                                const struct top_table *table,
                                const struct top_row *row);

/* The word for an order, as the help line has it. */
const char *top_report_order_name(enum top_order order);
