/* SPDX-License-Identifier: MIT */
/* Statistics for programs: the document of `stats --json` and `compare --json`,
 * described in tracemalloc-stats(1). For offline code; one thread at a time. */
#pragma once

#include <stdio.h>

#include "base/compiler.h"
#include "output/json_writer.h"
#include "profile/statistics.h"

/* The entries that were sorted in front, as keys in the map that is open. `old` is the
 * dump that was compared with, or NULL. */
void json_report_add(struct json_writer *writer, const struct statistics *statistics,
                     const char *at, const struct dump_reader *old);

/* The same as a document. 0, -ENOMEM or -EIO. */
must_check int json_report_print(FILE *out, const struct statistics *statistics,
                                 const char *at, const struct dump_reader *old);

/* The frame at a node as an object (see report/json_frame.h). */
void json_report_add_frame(struct json_writer *writer, const struct profile *profile,
                           uint32_t stack);

/* The keys `size` and `count`. */
void json_report_add_weight(struct json_writer *writer, struct weight weight);

/* The keys `complete` and `incomplete_reasons` of a dump, in the map that is open; of
 * `old` too, unless NULL. */
void json_report_add_completeness(struct json_writer *writer,
                                  const struct dump_reader *reader,
                                  const struct dump_reader *old);
