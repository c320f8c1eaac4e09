/* SPDX-License-Identifier: MIT */
#include "leak/rss_trend.h"

#include <stdlib.h>

#include "profile/last_sample.h"

/* Points at equal distances, over the part of the time that is looked at. */
enum { POINTS = 48, PAIRS = POINTS * (POINTS - 1) / 2 };
static const double looked_at = 0.6;

static int compare(const void *first, const void *second) {
    double a = *(const double *)first, b = *(const double *)second;
    return (a > b) - (a < b);
}

static double rss_of(const struct tracemalloc_dump_timeline_sample *sample) {
    return (double)sample->rss_bytes;
}

static double traced_of(const struct tracemalloc_dump_timeline_sample *sample) {
    return (double)sample->python_bytes + (double)sample->native_bytes;
}

typedef double measure(const struct tracemalloc_dump_timeline_sample *sample);

static double find_slope(const struct tracemalloc_dump_timeline_sample *samples,
                         size_t count, measure *bytes) {
    size_t points = count < POINTS ? count : POINTS, pairs = 0;
    double slopes[PAIRS];
    for (size_t i = 0; i < points; i++)
        for (size_t j = 0; j < i; j++) {
            const struct tracemalloc_dump_timeline_sample *a =
                &samples[j * count / points];
            const struct tracemalloc_dump_timeline_sample *b =
                &samples[i * count / points];
            if (b->time > a->time)
                slopes[pairs++] =
                    (bytes(b) - bytes(a)) / ((double)(b->time - a->time) / 1e9);
        }
    if (pairs == 0)
        return 0;
    qsort(slopes, pairs, sizeof *slopes, compare);
    return slopes[pairs / 2];
}

void rss_trend_find(struct rss_trend *trend, const struct dump_reader *reader) {
    const struct tracemalloc_dump_timeline_sample *samples = reader->timeline;
    size_t count = last_sample_find(reader), first = 0;
    *trend = (struct rss_trend){0};
    if (count == 0)
        count = reader->timeline_count;
    if (count == 0)
        return;
    trend->bytes = samples[count - 1].rss_bytes;
    uint64_t end = samples[count - 1].time;
    while (first < count && (double)samples[first].time < (1 - looked_at) * (double)end)
        first++;
    trend->rate = find_slope(samples + first, count - first, rss_of);
    trend->traced_rate = find_slope(samples + first, count - first, traced_of);
}
