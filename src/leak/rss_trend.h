/* SPDX-License-Identifier: MIT */
/* How the resident memory of a process rises, and its traced blocks, by the slope that
 * half of all pairs of points exceed (Theil and Sen): what happens once does not move
 * it. For offline code; one thread at a time. */
#pragma once

#include <stdint.h>

#include "dump/dump_reader.h"

struct rss_trend {
    uint64_t bytes;     /* at the last sample: see last_sample.h */
    double rate;        /* bytes a second, over the later part of the time */
    double traced_rate; /* the same of all traced blocks */
};

void rss_trend_find(struct rss_trend *trend, const struct dump_reader *reader);
