/* SPDX-License-Identifier: MIT */
#include "profile/heap_history.h"

static double value_of(const struct tracemalloc_dump_timeline_sample *sample,
                       enum heap_history_measure measure) {
    if (measure == HEAP_HISTORY_RSS)
        return (double)sample->rss_bytes;
    return (double)sample->python_bytes + (double)sample->native_bytes;
}

uint64_t heap_history_end(const struct dump_reader *reader) {
    return reader->timeline_count > 0
               ? reader->timeline[reader->timeline_count - 1].time
               : 0;
}

static uint64_t larger(uint64_t first, uint64_t second) {
    return first > second ? first : second;
}

uint64_t heap_history_peak(const struct dump_reader *reader, uint64_t live) {
    uint64_t peak = 0;
    if (reader->process_count == 1)
        return larger(reader->header.peak_bytes, live);
    if (reader->timeline_count == 0)
        return 0;
    for (size_t i = 0; i < reader->timeline_count; i++)
        peak = larger(peak, reader->timeline[i].python_bytes +
                                reader->timeline[i].native_bytes);
    for (size_t i = 0; i < reader->process_count; i++)
        peak = larger(peak, reader->processes[i].peak_bytes);
    return peak;
}

/* The part that contains a time; `end` itself belongs to the last part. */
static size_t part_of(uint64_t time, uint64_t begin, uint64_t end, size_t count) {
    double position = (double)(time - begin) / (double)(end - begin) * (double)count;
    return position >= (double)count ? count - 1 : (size_t)position;
}

void heap_history_sample(const struct dump_reader *reader,
                         enum heap_history_measure measure, uint64_t begin,
                         uint64_t end, double *values, size_t count) {
    size_t filled = 0; /* parts with a value; that of the last one may still rise */
    double last = 0;
    for (size_t i = 0; i < reader->timeline_count; i++) {
        const struct tracemalloc_dump_timeline_sample *sample = &reader->timeline[i];
        double value = value_of(sample, measure);
        if (sample->time < begin || end <= begin)
            last = value;
        if (sample->time < begin || sample->time > end || end <= begin)
            continue;
        size_t part = part_of(sample->time, begin, end, count);
        for (; filled < part; filled++)
            values[filled] = last;
        if (filled == part)
            values[filled++] = value;
        else if (values[part] < value)
            values[part] = value;
        last = value;
    }
    for (; filled < count; filled++)
        values[filled] = last;
}
