/* SPDX-License-Identifier: MIT */
/* Statistics for programs: the document of `stats --json` and `compare --json`,
 * described in tracemalloc-stats(1). For offline code; one thread at a time. */
#pragma once

#include <stdio.h>

#include "base/compiler.h"
#include "output/json_writer.h"
#include "profile/statistics.h"

/* Adds keys to the open map: the entries shown (see statistics_sort). `at` names the
 * point in time; `old` is the older of two compared dumps, else NULL. */
void json_report_add(struct json_writer *writer, const struct statistics *statistics,
                     const char *at, const struct dump_reader *old);

/* Prints the same as a document. 0, -ENOMEM or -EIO. */
must_check int json_report_print(FILE *out, const struct statistics *statistics,
                                 const char *at, const struct dump_reader *old);

/* Writes the most recent frame of a stack as an object (see show/json_frame.h). */
void json_report_add_frame(struct json_writer *writer, const struct profile *profile,
                           uint32_t stack);

/* Adds the keys `size` and `count`; of an estimate also `size_error`, its standard
 * error in bytes, and `sampled_blocks`. */
void json_report_add_weight(struct json_writer *writer, struct weight weight);

/* Adds the keys `complete` and `incomplete_reasons` to the open map, for a dump and,
 * unless NULL, for `old`. And `sample_distance`, of `old` `old_sample_distance`: the
 * mean distance of samples in bytes, 0 if every block was recorded, null if the
 * processes of a merged dump differ. */
void json_report_add_completeness(struct json_writer *writer,
                                  const struct dump_reader *reader,
                                  const struct dump_reader *old);
