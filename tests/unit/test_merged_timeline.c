/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "check_run.h"
#include "merge/merged_timeline.h"

#define SECOND UINT64_C(1000000000)

static struct array timeline;

static void set_up(void) {
    timeline =
        (struct array){.entry_size = sizeof(struct tracemalloc_dump_timeline_sample)};
}

static void tear_down(void) {
    free(timeline.entries);
}

static const struct tracemalloc_dump_timeline_sample *point(size_t number) {
    return (const struct tracemalloc_dump_timeline_sample *)timeline.entries + number;
}

/* The second starts two seconds after the first, and ends before it. */
START_TEST(sums_at_each_instant) {
    struct tracemalloc_dump_timeline_sample one[] = {
        {1 * SECOND, 10, 1, 100}, {3 * SECOND, 20, 1, 200}, {6 * SECOND, 5, 1, 50}};
    struct tracemalloc_dump_timeline_sample two[] = {{1 * SECOND, 7, 0, 70}};
    struct dump_reader first = {
        .header = {.start_time = 50 * SECOND, .end_time = 57 * SECOND},
        .timeline = one,
        .timeline_count = 3,
    };
    struct dump_reader second = {
        .header = {.start_time = 52 * SECOND, .end_time = 54 * SECOND},
        .timeline = two,
        .timeline_count = 1,
    };
    struct dump_reader *parts[] = {&second, &first};
    ck_assert_int_eq(merged_timeline_add(&timeline, parts, 2), 0);
    ck_assert_uint_eq(timeline.count, 4);
    ck_assert_uint_eq(point(0)->time, 1 * SECOND);
    ck_assert_uint_eq(point(0)->python_bytes, 10);
    ck_assert_uint_eq(point(1)->time, 3 * SECOND);
    ck_assert_uint_eq(point(1)->python_bytes, 27);
    ck_assert_uint_eq(point(1)->rss_bytes, 270);
    ck_assert_uint_eq(point(2)->time, 4 * SECOND);
    ck_assert_uint_eq(point(2)->python_bytes, 20);
    ck_assert_uint_eq(point(3)->python_bytes, 5);
    ck_assert_uint_eq(point(3)->native_bytes, 1);
}
END_TEST

/* The clock of the points is a coarse one. */
START_TEST(a_process_ends_behind_its_last_point) {
    struct tracemalloc_dump_timeline_sample one[] = {{1 * SECOND, 10, 0, 0}};
    struct tracemalloc_dump_timeline_sample two[] = {{1 * SECOND, 7, 0, 0}};
    struct dump_reader first = {
        .header = {.start_time = 50 * SECOND, .end_time = 51 * SECOND},
        .timeline = one,
        .timeline_count = 1,
    };
    struct dump_reader second = {
        .header = {.start_time = 52 * SECOND, .end_time = 53 * SECOND - 1},
        .timeline = two,
        .timeline_count = 1,
    };
    struct dump_reader *parts[] = {&second, &first};
    ck_assert_int_eq(merged_timeline_add(&timeline, parts, 2), 0);
    ck_assert_uint_eq(timeline.count, 3);
    ck_assert_uint_eq(point(0)->python_bytes, 10);
    ck_assert_uint_eq(point(1)->python_bytes, 0);
    ck_assert_uint_eq(point(2)->python_bytes, 7);
}
END_TEST

START_TEST(a_process_that_runs_has_no_end) {
    struct tracemalloc_dump_timeline_sample one[] = {{0, 10, 0, 0}};
    struct tracemalloc_dump_timeline_sample two[] = {{5, 1, 0, 0}};
    struct dump_reader first = {
        .state = TRACEMALLOC_DUMP_TRACING, .timeline = one, .timeline_count = 1};
    struct dump_reader second = {
        .state = DUMP_READER_KILLED, .timeline = two, .timeline_count = 1};
    struct dump_reader *parts[] = {&first, &second};
    ck_assert_int_eq(merged_timeline_add(&timeline, parts, 2), 0);
    ck_assert_uint_eq(timeline.count, 3);
    ck_assert_uint_eq(point(1)->python_bytes, 11);
    ck_assert_uint_eq(point(2)->python_bytes, 10);
}
END_TEST

START_TEST(many_points_are_thinned) {
    enum { COUNT = 50000 };
    struct tracemalloc_dump_timeline_sample *many = calloc(COUNT, sizeof *many);
    for (size_t i = 0; i < COUNT; i++)
        many[i] = (struct tracemalloc_dump_timeline_sample){i, i, 0, 0};
    struct dump_reader reader = {.timeline = many, .timeline_count = COUNT};
    struct dump_reader *parts[] = {&reader};
    ck_assert_int_eq(merged_timeline_add(&timeline, parts, 1), 0);
    ck_assert_uint_eq(timeline.count, COUNT / 2);
    ck_assert_uint_eq(point(100)->time, 201);
    free(many);
}
END_TEST

START_TEST(none_has_a_timeline) {
    struct dump_reader reader = {0};
    struct dump_reader *parts[] = {&reader, &reader};
    ck_assert_int_eq(merged_timeline_add(&timeline, parts, 2), 0);
    ck_assert_uint_eq(timeline.count, 0);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("merged_timeline");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, sums_at_each_instant);
    tcase_add_test(tests, a_process_ends_behind_its_last_point);
    tcase_add_test(tests, a_process_that_runs_has_no_end);
    tcase_add_test(tests, many_points_are_thinned);
    tcase_add_test(tests, none_has_a_timeline);
    return check_run("merged_timeline", tests);
}
