/* SPDX-License-Identifier: MIT */
#include "trace/event_clock.h"

#include "suite.h"

static uint32_t events_to_reading(void) {
    uint32_t events = 1;
    while (!event_clock_due())
        events++;
    return events;
}

START_TEST(the_first_event_reads_the_clock) {
    ck_assert_uint_eq(events_to_reading(), 1);
    event_clock_note(5);
    event_clock_restart();
    ck_assert_uint_eq(events_to_reading(), 1);
}
END_TEST

START_TEST(a_clock_that_moves_is_read_each_16_events) {
    for (uint64_t now = 1; now < 10; now++) {
        event_clock_note(now);
        ck_assert_uint_eq(events_to_reading(), 16);
    }
}
END_TEST

START_TEST(a_burst_reads_the_clock_less_often) {
    event_clock_note(1);
    for (uint32_t events = 32; events <= 256; events *= 2) {
        event_clock_note(1);
        ck_assert_uint_eq(events_to_reading(), events);
    }
    event_clock_note(1);
    ck_assert_uint_eq(events_to_reading(), 256);
    event_clock_note(2);
    ck_assert_uint_eq(events_to_reading(), 16);
}
END_TEST

START_TEST(a_hastened_clock_is_read_soon) {
    event_clock_note(1);
    for (int at = 0; at < 5; at++)
        event_clock_note(1);
    event_clock_hasten();
    ck_assert_uint_eq(events_to_reading(), 16);
}
END_TEST

START_TEST(a_stride_may_be_chosen) {
    event_clock_begin(3);
    ck_assert_uint_eq(events_to_reading(), 3);
    event_clock_note(1);
    ck_assert_uint_eq(events_to_reading(), 16);
}
END_TEST

START_TEST(hastening_delays_nothing) {
    event_clock_note(1);
    for (int at = 0; at < 10; at++)
        ck_assert(!event_clock_due());
    event_clock_hasten();
    ck_assert_uint_eq(events_to_reading(), 6);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        the_first_event_reads_the_clock,
        a_clock_that_moves_is_read_each_16_events,
        a_burst_reads_the_clock_less_often,
        a_hastened_clock_is_read_soon,
        a_stride_may_be_chosen,
        hastening_delays_nothing,
    };
    return suite_run("event_clock", tests, sizeof tests / sizeof *tests);
}
