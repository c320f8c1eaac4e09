/* SPDX-License-Identifier: MIT */
/* Which events read the timeline's clock: every 16th, and up to every 256th while the
 * clock does not move between two readings.
 *
 * After a burst of events a slow program would need seconds for 256 more, so an event
 * that makes a bucket, which the program's next phase does, brings the next reading
 * forward. Under the tracer's lock, or with one thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

enum { EVENT_CLOCK_MIN_STRIDE = 16, EVENT_CLOCK_MAX_STRIDE = 256 };

struct event_clock {
    uint32_t countdown; /* events until the clock is read */
    uint32_t stride;    /* events between two readings */
    uint64_t last_time; /* of the clock at the last reading, nanoseconds */
};

extern internal struct event_clock event_clock;

/* The next event reads the clock. */
void event_clock_restart(void);
/* The clock is read after so many events. */
void event_clock_begin(uint32_t stride);
/* The clock was read: begins the next stride. */
void event_clock_note(uint64_t now);

/* Counts an event. Whether it reads the clock. */
static always_inline bool event_clock_due(void) {
    return unlikely(--event_clock.countdown == 0);
}

/* One of the next 16 events reads the clock. */
static always_inline void event_clock_hasten(void) {
    if (event_clock.countdown > EVENT_CLOCK_MIN_STRIDE)
        event_clock.countdown = EVENT_CLOCK_MIN_STRIDE;
}
