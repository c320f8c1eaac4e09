/* SPDX-License-Identifier: MIT */
/* The heap over time: a point at the first event after each interval, 10 ms to begin
 * with.
 *
 * No thread and no timer: an event looks at the processor's clock, but only each
 * sixteenth does, and fewer where events come fast, for the clock takes as long as half
 * an event. When the section is full each second point goes and the interval doubles,
 * so that a week fits a mebibyte. Under the tracer's
 * lock, or with one thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <x86intrin.h>

#include "base/compiler.h"
#include "dump/dump_file.h"

struct timeline {
    uint32_t countdown; /* events until the clock is looked at */
    uint32_t stride;    /* from look to look */
    uint64_t last_tick; /* of the processor's clock: the last look */
    uint64_t next_tick; /* time for the next point */
};

extern internal struct timeline timeline;

/* Begins an empty timeline at the header's start_time, which is now. */
void timeline_open(struct dump_file *file);
/* Adds a point if it is time for one, after the tracer was measured. Where measuring
 * takes long, points between have the numbers of the last time. */
void timeline_look(void);
/* Measures, and adds a point. */
void timeline_add(void);

/* Counts an event: whether timeline_tick is due. */
static always_inline bool timeline_due(void) {
    return unlikely(--timeline.countdown == 0);
}

/* Looks are 10 to 100 microseconds apart where the stride allows. */
static always_inline void timeline_tick(void) {
    enum { LEAST = 16, MOST = 256, SHORT = 1 << 15, LONG = 1 << 18 };
    uint64_t now = __rdtsc(), passed = now - timeline.last_tick;
    timeline.last_tick = now;
    if (passed > LONG)
        timeline.stride = LEAST;
    else if (passed < SHORT && timeline.stride < MOST)
        timeline.stride *= 2;
    timeline.countdown = timeline.stride;
    if (unlikely(now >= timeline.next_tick))
        timeline_look();
}

static always_inline void timeline_event(void) {
    if (timeline_due())
        timeline_tick();
}
