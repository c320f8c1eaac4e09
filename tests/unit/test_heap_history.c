/* SPDX-License-Identifier: MIT */
#include "check_run.h"
#include "profile/heap_history.h"

static struct tracemalloc_dump_timeline_sample points[] = {
    {0, 1, 1, 10}, {100, 5, 5, 100}, {110, 1, 0, 50}, {400, 20, 0, 40}};

static struct dump_reader reader = {.timeline = points, .timeline_count = 4};

static void ck_values(const double *values, const double *expected, size_t count) {
    for (size_t i = 0; i < count; i++)
        ck_assert_double_eq(values[i], expected[i]);
}

START_TEST(each_part_has_its_largest_or_the_last_value) {
    double values[4];
    static const double traced[] = {2, 10, 1, 20}, rss[] = {10, 100, 50, 40};
    ck_assert_uint_eq(heap_history_end(&reader), 400);
    heap_history_sample(&reader, HEAP_HISTORY_TRACED, 0, 400, values, 4);
    ck_values(values, traced, 4);
    heap_history_sample(&reader, HEAP_HISTORY_RSS, 0, 400, values, 4);
    ck_values(values, rss, 4);
}
END_TEST

START_TEST(a_part_of_the_time_begins_with_what_was_there) {
    double values[2];
    static const double expected[] = {1, 1};
    heap_history_sample(&reader, HEAP_HISTORY_TRACED, 200, 300, values, 2);
    ck_values(values, expected, 2);
}
END_TEST

START_TEST(no_timeline_and_no_time) {
    double values[3];
    static const double nothing[3], one[] = {2, 2, 2};
    struct dump_reader empty = {0};
    struct dump_reader short_lived = {.timeline = points, .timeline_count = 1};
    ck_assert_uint_eq(heap_history_end(&empty), 0);
    heap_history_sample(&empty, HEAP_HISTORY_TRACED, 0, 100, values, 3);
    ck_values(values, nothing, 3);
    heap_history_sample(&short_lived, HEAP_HISTORY_TRACED, 0, 0, values, 3);
    ck_values(values, one, 3);
}
END_TEST

/* The order of a stranger's points is not to be trusted. */
START_TEST(points_out_of_order) {
    double values[4];
    struct tracemalloc_dump_timeline_sample wild[] = {
        {390, 1, 0, 0}, {10, 9, 0, 0}, {UINT64_MAX, 7, 0, 0}};
    struct dump_reader hostile = {.timeline = wild, .timeline_count = 3};
    heap_history_sample(&hostile, HEAP_HISTORY_TRACED, 0, 400, values, 4);
    ck_assert_double_eq(values[0], 9);
    ck_assert_double_eq(values[3], 1);
}
END_TEST

START_TEST(a_peak_of_several_processes_is_one_of_their_sum) {
    struct tracemalloc_dump_timeline_sample sums[] = {
        {1, 40, 2, 0}, {2, 70, 5, 0}, {3, 10, 0, 0}};
    struct tracemalloc_dump_process processes[2] = {{.peak_bytes = 60},
                                                    {.peak_bytes = 50}};
    struct dump_reader merged = {.header.peak_bytes = 110,
                                 .timeline = sums,
                                 .timeline_count = 3,
                                 .processes = processes,
                                 .process_count = 2};
    ck_assert_uint_eq(heap_history_peak(&merged, 100), 75);
    processes[1].peak_bytes = 76; /* between two points */
    ck_assert_uint_eq(heap_history_peak(&merged, 100), 76);
    merged.timeline_count = 0;
    ck_assert_uint_eq(heap_history_peak(&merged, 100), 0);
    merged.process_count = 1;
    ck_assert_uint_eq(heap_history_peak(&merged, 100), 110);
    ck_assert_uint_eq(heap_history_peak(&merged, 120), 120);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("heap_history");
    tcase_add_test(tests, each_part_has_its_largest_or_the_last_value);
    tcase_add_test(tests, a_part_of_the_time_begins_with_what_was_there);
    tcase_add_test(tests, no_timeline_and_no_time);
    tcase_add_test(tests, points_out_of_order);
    tcase_add_test(tests, a_peak_of_several_processes_is_one_of_their_sum);
    return check_run("heap_history", tests);
}
