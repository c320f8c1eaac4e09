/* SPDX-License-Identifier: MIT */
#include "trace/event_clock.h"

struct event_clock event_clock = {.countdown = 1, .stride = 1};

void event_clock_restart(void) {
    event_clock = (struct event_clock){.countdown = 1, .stride = 1};
}

/* Doubles the stride if the clock has not moved since the last reading. */
void event_clock_note(uint64_t now) {
    if (now != event_clock.last_time || event_clock.stride < EVENT_CLOCK_MIN_STRIDE)
        event_clock.stride = EVENT_CLOCK_MIN_STRIDE;
    else if (event_clock.stride < EVENT_CLOCK_MAX_STRIDE)
        event_clock.stride *= 2;
    event_clock.last_time = now;
    event_clock.countdown = event_clock.stride;
}
