/* SPDX-License-Identifier: MIT */
/* Statistics for people: the lines of the standard library's tracemalloc, each with its
 * source line beneath, then the rest, the total, and what the dumps lack. For offline
 * code; one thread at a time. */
#pragma once

#include "base/compiler.h"
#include "output/terminal.h"
#include "profile/statistics.h"

/* Prints the entries that were sorted in front. Write errors stay in the stream. */
void text_report_print(const struct terminal *terminal,
                       const struct statistics *statistics);

/* One line if a dump is incomplete, else nothing. `name` tells which, where there are
 * several; else NULL. */
void text_report_print_completeness(const struct terminal *terminal,
                                    const struct dump_reader *reader, const char *name);
