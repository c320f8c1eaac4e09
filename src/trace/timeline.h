/* SPDX-License-Identifier: MIT */
/* The heap over time: one sample at the first event after each interval, which is 10 ms
 * at first.
 *
 * There is no thread and no timer: events read the clock now and then (see
 * trace/event_clock.h). The clock is CLOCK_MONOTONIC_COARSE, which moves in steps of 1
 * to 10 ms: the kernel keeps it in memory, so on a virtual machine a reading costs half
 * as much as one of the processor's counter, and it needs no calibration. If the
 * section is full, every second sample is dropped and the interval doubles, so that a
 * week fits in a mebibyte. Under the tracer's lock, or with one thread.
 */
#pragma once

#include <stdint.h>

#include "base/compiler.h"
#include "dump/dump_file.h"
#include "trace/event_clock.h"
#include "trace/event_guard.h"

/* When a sample is due: CLOCK_MONOTONIC, nanoseconds. */
extern internal uint64_t timeline_next_time;

/* Begins an empty timeline at the header's start_time, which is now. */
void timeline_open(struct dump_file *file);
/* Reads the clock. If a sample is due, adds one, with a new measurement of the tracer's
 * memory if the last one is long enough ago. */
void timeline_tick(struct event_guard guard);
/* Measures the tracer's memory and adds a sample. */
void timeline_add(void);

static always_inline void timeline_event(struct event_guard guard) {
    if (event_clock_due())
        timeline_tick(guard);
}
