/* SPDX-License-Identifier: MIT */
#include "trace/event_clock.h"

struct event_clock event_clock = {.countdown = 1, .stride = 1};

void event_clock_restart(void) {
    event_clock = (struct event_clock){.countdown = 1, .stride = 1};
}

void event_clock_begin(uint32_t stride) {
    event_clock.stride = event_clock.countdown = stride;
}

/* Doubles the stride if the clock has not moved since the last reading. */
void event_clock_note(uint64_t now) {
    uint32_t stride = event_clock.stride;
    if (now != event_clock.last_time || stride < EVENT_CLOCK_MIN_STRIDE)
        stride = EVENT_CLOCK_MIN_STRIDE;
    else if (stride < EVENT_CLOCK_MAX_STRIDE)
        stride *= 2;
    event_clock.last_time = now;
    event_clock_begin(stride);
}
