/* SPDX-License-Identifier: MIT */
/* Statistics for programs: the document of `stats --json` and `compare --json`,
 * described in tracemalloc-stats(1). For offline code; one thread at a time. */
#pragma once

#include <stdio.h>

#include "base/compiler.h"
#include "report/json_writer.h"
#include "report/statistics.h"

/* The entries that were sorted in front. `old` is the dump that was compared with, or
 * NULL. 0, -ENOMEM or -EIO. */
must_check int json_report_print(FILE *out, const struct statistics *statistics,
                                 const char *at, const struct dump_reader *old);

/* The keys `complete` and `incomplete_reasons` of a dump, in the map that is open; of
 * `old` too, unless NULL. */
void json_report_add_completeness(struct json_writer *writer,
                                  const struct dump_reader *reader,
                                  const struct dump_reader *old);
