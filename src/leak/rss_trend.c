/* SPDX-License-Identifier: MIT */
#include "leak/rss_trend.h"

#include <stdlib.h>

/* Points at equal distances, over the part of the time that is looked at. */
enum { POINTS = 48, PAIRS = POINTS * (POINTS - 1) / 2 };
static const double looked_at = 0.6;

static int compare(const void *first, const void *second) {
    double a = *(const double *)first, b = *(const double *)second;
    return (a > b) - (a < b);
}

void rss_trend_find(struct rss_trend *trend, const struct dump_reader *reader) {
    const struct tracemalloc_dump_timeline_sample *samples = reader->timeline;
    size_t count = reader->timeline_count, first = 0;
    double slopes[PAIRS];
    size_t pairs = 0;
    *trend = (struct rss_trend){0};
    if (count == 0)
        return;
    trend->bytes = samples[count - 1].rss_bytes;
    uint64_t end = samples[count - 1].time;
    while (first < count && (double)samples[first].time < (1 - looked_at) * (double)end)
        first++;
    size_t rest = count - first, points = rest < POINTS ? rest : POINTS;
    for (size_t i = 0; i < points; i++)
        for (size_t j = 0; j < i; j++) {
            const struct tracemalloc_dump_timeline_sample *a =
                &samples[first + j * rest / points];
            const struct tracemalloc_dump_timeline_sample *b =
                &samples[first + i * rest / points];
            if (b->time > a->time)
                slopes[pairs++] = ((double)b->rss_bytes - (double)a->rss_bytes) /
                                  ((double)(b->time - a->time) / 1e9);
        }
    if (pairs == 0)
        return;
    qsort(slopes, pairs, sizeof *slopes, compare);
    trend->rate = slopes[pairs / 2];
}
