/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "check_run.h"
#include "opened_dump.h"
#include "profile/top_table.h"

static const uint64_t second = 1000000000;

static struct dump_maker maker;
static struct opened_dump opened;
static struct top_sample start, none;
static struct top_table table;
static uint32_t buckets[3];

/* Three lines of different files: large, many, and one that only churns. */
static void set_up(void) {
    static const char *const names[] = {"bulky.py", "crumbs.py", "churn.py"};
    static const uint64_t sizes[] = {1000000, 10, 5};
    static const uint32_t counts[] = {2, 5000, 0};
    dump_maker_open(&maker);
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t code = dump_maker_code(&maker, names[i], "keep");
        uint32_t stack = dump_maker_stack(&maker, 0, code, i + 1);
        uint32_t site = dump_maker_site(&maker, stack, 0);
        buckets[i] = dump_maker_bucket(&maker, site, sizes[i], counts[i], 0);
    }
    start = none = (struct top_sample){0};
}

static void tear_down(void) {
    top_table_close(&table);
    top_sample_drop(&start);
    dump_maker_close(&maker);
}

static struct tracemalloc_dump_bucket *bucket(uint32_t line) {
    return dump_maker_entry(&maker, TRACEMALLOC_DUMP_BUCKETS, buckets[line]);
}

static void take(struct top_sample *sample, uint64_t time) {
    opened_dump_open(&opened, &maker, PROFILE_NOW);
    ck_assert_int_eq(top_sample_take(sample, &opened.profile, time), 0);
    opened_dump_close(&opened);
}

static void tabulate(const struct top_sample *before, uint64_t time) {
    top_table_close(&table);
    ck_assert_int_eq(
        top_table_open(&table, &opened.profile, GROUPING_LINENO, &start, before, time),
        0);
}

START_TEST(the_first_look_has_the_mean_of_all_time) {
    bucket(2)->total = 800;
    opened_dump_open(&opened, &maker, PROFILE_NOW);
    tabulate(&none, 2 * second);
    top_table_sort(&table, TOP_BY_SIZE);
    ck_assert_uint_eq(table.count, 3);
    ck_assert_uint_eq(table.rows[0].weight.size, 2000000);
    ck_assert_double_eq(table.rows[0].rate, 1000000);
    ck_assert_int_eq(table.rows[0].growth, 0);
    ck_assert_uint_eq(table.rows[2].weight.count, 0);
    ck_assert_double_eq(table.rows[2].blocks_rate, 400);
    ck_assert_double_eq(table.rate, 1000000 + 25000 + 2000);
    opened_dump_close(&opened);
}
END_TEST

START_TEST(later_looks_have_what_came_meanwhile) {
    take(&start, 10 * second);
    bucket(2)->total = 180;
    bucket(1)->live += 100;
    bucket(1)->total += 100;
    opened_dump_open(&opened, &maker, PROFILE_NOW);
    tabulate(&start, 15 * second);
    top_table_sort(&table, TOP_BY_RATE);
    ck_assert_uint_eq(table.rows[0].frame.line, 2);
    ck_assert_double_eq(table.rows[0].rate, 200);
    ck_assert_int_eq(table.rows[0].growth, 1000);
    ck_assert_double_eq(table.rows[0].growth_rate, 200);
    ck_assert_uint_eq(table.rows[1].frame.line, 3);
    ck_assert_double_eq(table.rows[2].rate, 0);
    ck_assert_int_eq(table.rows[2].growth, 0);
    ck_assert_double_eq(table.rows[2].growth_rate, 0);
    top_table_sort(&table, TOP_BY_GROWTH_RATE);
    ck_assert_uint_eq(table.rows[0].frame.line, 2);
    top_table_close(&table);
    tabulate(&start, 12 * second);
    ck_assert_int_eq(table.rows[1].growth, 1000);
    ck_assert_double_eq(table.rows[1].growth_rate, 0);
    top_table_sort(&table, TOP_BY_BLOCKS);
    ck_assert_uint_eq(table.rows[0].frame.line, 2);
    opened_dump_close(&opened);
}
END_TEST

START_TEST(traces_that_were_cleared_start_afresh) {
    take(&start, 10 * second);
    maker.header.cleared = 1;
    bucket(0)->total = 0;
    struct tracemalloc_dump_site *site =
        dump_maker_entry(&maker, TRACEMALLOC_DUMP_SITES, 0);
    site->total_bytes = 500;
    site->total_blocks = 1;
    opened_dump_open(&opened, &maker, PROFILE_NOW);
    tabulate(&start, 11 * second);
    top_table_sort(&table, TOP_BY_SIZE);
    ck_assert_double_eq(table.rows[0].rate, 500);
    ck_assert_int_eq(table.rows[0].growth, 0);
    opened_dump_close(&opened);
}
END_TEST

START_TEST(filters_by_file_and_function) {
    opened_dump_open(&opened, &maker, PROFILE_NOW);
    tabulate(&none, second);
    top_table_filter(&table, &opened.profile, "keep");
    ck_assert_uint_eq(table.count, 2);
    top_table_filter(&table, &opened.profile, "crumbs.py");
    ck_assert_uint_eq(table.count, 1);
    top_table_filter(&table, &opened.profile, "nothing of that name");
    ck_assert_uint_eq(table.count, 0);
    opened_dump_close(&opened);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("top_table");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, the_first_look_has_the_mean_of_all_time);
    tcase_add_test(tests, later_looks_have_what_came_meanwhile);
    tcase_add_test(tests, traces_that_were_cleared_start_afresh);
    tcase_add_test(tests, filters_by_file_and_function);
    return check_run("top_table", tests);
}
