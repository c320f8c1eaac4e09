/* SPDX-License-Identifier: MIT */
#include "trace/timeline.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "live_blocks.h"
#include "suite.h"

enum { MOST_POINTS = 32768, INTERVAL = 10000000, BILLION = 1000000000, EVENTS = 16 };

static struct dump_file file;

static void open_timeline(uint64_t max_size) {
    ck_assert_int_eq(dump_file_open(&file, max_size), 0);
    timeline_open(&file);
}

static uint64_t count(void) {
    return file.header->sections[TRACEMALLOC_DUMP_TIMELINE].count;
}

static const struct tracemalloc_dump_timeline_sample *points(void) {
    return (void *)file.base[TRACEMALLOC_DUMP_TIMELINE];
}

static uint64_t monotonic(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * BILLION + (uint64_t)now.tv_nsec;
}

START_TEST(a_point_tells_the_heap) {
    open_timeline(1 << 20);
    ck_assert_uint_eq(count(), 0);
    file.header->python_bytes = 500;
    file.header->native_bytes = 200;
    timeline_add();
    ck_assert_uint_eq(count(), 1);
    ck_assert_uint_eq(points()->python_bytes, 500);
    ck_assert_uint_eq(points()->native_bytes, 200);
    ck_assert_uint_gt(points()->rss_bytes, 100000);
    ck_assert_uint_gt(file.header->shared_bytes, 4096);
    ck_assert_uint_lt(file.header->shared_bytes, points()->rss_bytes);
    ck_assert_uint_lt(points()->time, (uint64_t)CHECK_RUN_SECONDS * BILLION);
}
END_TEST

START_TEST(points_keep_their_distance) {
    open_timeline(1 << 20);
    for (uint64_t end = monotonic() + 6 * INTERVAL; monotonic() < end;)
        timeline_tick(alone);
    ck_assert_uint_ge(count(), 2);
    for (uint64_t at = 1; at < count(); at++)
        ck_assert_uint_ge(points()[at].time, points()[at - 1].time + INTERVAL);
}
END_TEST

START_TEST(one_event_of_sixteen_looks) {
    open_timeline(1 << 20);
    timeline_event(alone);
    ck_assert_uint_eq(count(), 1);
    usleep(INTERVAL / 1000);
    timeline_next_time = 0;
    for (int event = 1; event < EVENTS; event++)
        timeline_event(alone);
    ck_assert_uint_eq(count(), 1);
    timeline_event(alone);
    ck_assert_uint_eq(count(), 2);
}
END_TEST

/* A test that waits for the processor meanwhile begins again at the least. */
START_TEST(fast_events_look_less_often) {
    enum { MOST = 256 };
    open_timeline(1 << 20);
    timeline_event(alone);
    ck_assert_uint_eq(event_clock.stride, EVENTS);
    for (int event = 0; event < 100000000 && event_clock.stride < MOST; event++)
        timeline_event(alone);
    ck_assert_uint_eq(event_clock.stride, MOST);
    usleep(INTERVAL / 1000);
    while (event_clock.stride == MOST)
        timeline_event(alone);
    ck_assert_uint_eq(event_clock.stride, EVENTS);
}
END_TEST

START_TEST(no_point_before_it_is_time) {
    open_timeline(1 << 20);
    timeline_tick(alone);
    timeline_next_time = UINT64_MAX;
    usleep(INTERVAL / 1000);
    for (int event = 0; event < 2 * EVENTS; event++)
        timeline_event(alone);
    ck_assert_uint_eq(count(), 1);
}
END_TEST

START_TEST(a_full_timeline_loses_each_second_point) {
    open_timeline(16 << 20);
    for (uint32_t at = 0; at < MOST_POINTS; at++) {
        file.header->native_bytes = at;
        timeline_add();
    }
    ck_assert_uint_eq(count(), MOST_POINTS);
    timeline_add();
    ck_assert_uint_eq(count(), MOST_POINTS / 2 + 1);
    for (uint32_t at = 0; at < MOST_POINTS / 2; at++)
        ck_assert_uint_eq(points()[at].native_bytes, 2 * at);
    uint64_t first = count();
    for (uint64_t end = monotonic() + 6 * INTERVAL; monotonic() < end;)
        timeline_tick(alone);
    for (uint64_t at = first + 1; at < count(); at++)
        ck_assert_uint_ge(points()[at].time, points()[at - 1].time + 2 * INTERVAL);
}
END_TEST

START_TEST(without_room_each_second_point_goes) {
    static const char *const nowhere[] = {NULL};
    struct dump_file_place place;
    open_timeline(1 << 20);
    char name[] = "timeline.XXXXXX.dump";
    ck_assert_int_ge(mkstemps(name, strlen(".dump")), 0);
    ck_assert_int_eq(unlink(name), 0);
    ck_assert_int_eq(dump_file_attach(&file, name, nowhere, &place), 0);
    ck_assert_int_eq(unlink(file.path), 0);
    for (uint32_t at = 0; at < MOST_POINTS - 1; at++)
        timeline_add();
    uint64_t held = count();
    ck_assert_uint_lt(held, MOST_POINTS - 1);
    uint64_t last = points()[held - 1].time;
    for (uint64_t at = 0; at < 2 * held; at++)
        timeline_add();
    ck_assert_uint_le(count(), held + 2);
    ck_assert_uint_ge(count(), held / 2);
    ck_assert_uint_gt(points()[count() - 1].time, last);
}
END_TEST

START_TEST(another_dump_begins_anew) {
    open_timeline(1 << 20);
    timeline_add();
    dump_file_close(&file);
    timeline_add();
    open_timeline(1 << 20);
    ck_assert_uint_eq(count(), 0);
    timeline_event(alone);
    ck_assert_uint_eq(count(), 1);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        a_point_tells_the_heap,
        points_keep_their_distance,
        one_event_of_sixteen_looks,
        fast_events_look_less_often,
        no_point_before_it_is_time,
        a_full_timeline_loses_each_second_point,
        without_room_each_second_point_goes,
        another_dump_begins_anew,
    };
    return suite_run("timeline", tests, sizeof tests / sizeof *tests);
}
