/* SPDX-License-Identifier: MIT */
/* The heap over time, resampled into the columns of a plot. For offline code; pure; any
 * thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "dump/dump_reader.h"

/* Seconds: in a shorter run memory grows because the program starts, with what it
 * imports and loads, so that it has no rate to speak of. */
enum { HEAP_HISTORY_MIN_SECONDS = 3 };

enum heap_history_measure { HEAP_HISTORY_TRACED, HEAP_HISTORY_RSS };

/* The time of the last sample: nanoseconds since the start; 0 without a timeline. */
uint64_t heap_history_end(const struct dump_reader *reader);

/* The peak, in bytes; 0 if unknown. For one process, the recorded peak or `live`, the
 * bytes live now, whichever is larger. For several, the largest sum in the timeline,
 * which the plots show, or the largest peak of a single process if that is larger. */
uint64_t heap_history_peak(const struct dump_reader *reader, uint64_t live);

/* Divides the time from `begin` to `end` into `count` equal parts and gives the largest
 * value in each. A part without a sample repeats the value before it. */
void heap_history_sample(const struct dump_reader *reader,
                         enum heap_history_measure measure, uint64_t begin,
                         uint64_t end, double *values, size_t count);
