/* SPDX-License-Identifier: MIT */
/* The heap over time, put into the columns of a plot. For offline code; pure; any
 * thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "dump/dump_reader.h"

enum heap_history_measure { HEAP_HISTORY_TRACED, HEAP_HISTORY_RSS };

/* The end of the timeline: nanoseconds since the start; 0 without a timeline. */
uint64_t heap_history_end(const struct dump_reader *reader);

/* The most bytes that were live at one time: of one process its peak; of several, the
 * largest sum over time, which the plots show, or one process's own peak where that is
 * more. `live` is what is live now. 0: not known. */
uint64_t heap_history_peak(const struct dump_reader *reader, uint64_t live);

/* The largest value in each of `count` equal parts of the time from `begin` to `end`;
 * where a part has no point, the last value before. */
void heap_history_sample(const struct dump_reader *reader,
                         enum heap_history_measure measure, uint64_t begin,
                         uint64_t end, double *values, size_t count);
