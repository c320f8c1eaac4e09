/* SPDX-License-Identifier: MIT */
/* The heap over time: a point at the first event after each interval, 10 ms to begin
 * with.
 *
 * No thread and no timer: an event looks at the processor's clock, and only each
 * sixteenth does, which is not measurable. When the section is full each second point
 * goes and the interval doubles, so that a week fits a mebibyte. Under the tracer's
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
    uint64_t next_tick; /* of the processor's clock: time for the next point */
};

extern internal struct timeline timeline;

/* Begins an empty timeline at the header's start_time, which is now. */
void timeline_open(struct dump_file *file);
/* Adds a point if it is time for one. */
void timeline_look(void);
/* Adds a point. */
void timeline_add(void);

/* Counts an event: whether timeline_tick is due. */
static always_inline bool timeline_due(void) {
    return unlikely(--timeline.countdown == 0);
}

static always_inline void timeline_tick(void) {
    enum { EVENTS_PER_LOOK = 16 };
    timeline.countdown = EVENTS_PER_LOOK;
    if (unlikely(__rdtsc() >= timeline.next_tick))
        timeline_look();
}

static always_inline void timeline_event(void) {
    if (timeline_due())
        timeline_tick();
}
