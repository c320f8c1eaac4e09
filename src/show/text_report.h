/* SPDX-License-Identifier: MIT */
/* Statistics for people: the lines that the standard library's tracemalloc prints, each
 * followed by its source line, then the rest, the total, and why the dumps are
 * incomplete. For offline code; one thread at a time. */
#pragma once

#include "base/compiler.h"
#include "output/terminal.h"
#include "profile/statistics.h"

/* Prints the entries shown (see statistics_sort). Write errors stay in the stream. */
void text_report_print(const struct terminal *terminal,
                       const struct statistics *statistics);

/* Prints a line that says what temporary blocks are. */
void text_report_print_temporary(const struct terminal *terminal);

/* Prints one line if the numbers of a dump are estimates, and one if it is incomplete.
 * `name` names the dump if there are several; else it is NULL. */
void text_report_print_completeness(const struct terminal *terminal,
                                    const struct dump_reader *reader, const char *name);
