/* SPDX-License-Identifier: MIT */
/* The heap over time: a sample at the first event after each interval, 10 ms to begin
 * with.
 *
 * No thread and no timer: an event reads the clock, but only each sixteenth does, and
 * fewer where events come fast. The clock is CLOCK_MONOTONIC_COARSE: the kernel keeps
 * it in memory, so a reading costs half of one of the processor's counter on a virtual
 * machine, and it needs no calibration; it moves in steps of 1 to 10 ms. When the
 * section is full every second sample is dropped and the interval doubles, so that a
 * week fits a mebibyte. Under the tracer's lock, or with one thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "dump/dump_file.h"
#include "trace/event_guard.h"

struct timeline {
    uint32_t countdown; /* events until the clock is read */
    uint32_t stride;    /* events between two readings */
    uint64_t last_time; /* of the last reading, nanoseconds */
    uint64_t next_time; /* of the next sample */
};

extern internal struct timeline timeline;

/* Begins an empty timeline at the header's start_time, which is now. */
void timeline_open(struct dump_file *file);
/* Reads the clock, and adds a sample if one is due, after measuring the tracer's
 * memory. If measuring takes long, the samples in between repeat the last figures. */
void timeline_tick(struct event_guard guard);
/* Measures the tracer's memory and adds a sample. */
void timeline_add(void);

/* Counts an event: whether timeline_tick is due. */
static always_inline bool timeline_due(void) {
    return unlikely(--timeline.countdown == 0);
}

static always_inline void timeline_event(struct event_guard guard) {
    if (timeline_due())
        timeline_tick(guard);
}
