/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "check_run.h"
#include "opened_dump.h"
#include "profile/statistics.h"

static struct dump_maker maker;
static struct frame_names names;

static void set_up(void) {
    dump_maker_open(&maker);
    ck_assert_int_eq(frame_names_open(&names), 0);
}

static void tear_down(void) {
    frame_names_close(&names);
    dump_maker_close(&maker);
}

static void ck_size(double bytes, bool sign, const char *expected) {
    char text[40];
    statistics_format_size(text, sizeof text, bytes, sign);
    ck_assert_str_eq(text, expected);
}

/* The expected texts are those of tracemalloc._format_size. */
START_TEST(sizes_as_python_writes_them) {
    ck_size(0, false, "0 B");
    ck_size(0, true, "+0 B");
    ck_size(10239, false, "10239 B");
    ck_size(10240, false, "10.0 KiB");
    ck_size(-10240, true, "-10.0 KiB");
    ck_size(102400, true, "+100 KiB");
    ck_size(10485759, false, "10240 KiB");
    ck_size(10485760, false, "10.0 MiB");
    ck_size(123456789012.0, false, "115 GiB");
    ck_size(1e15, false, "909 TiB");
    ck_size(1e18, false, "909495 TiB");
    ck_size(1.5, false, "2 B");
    ck_size(2.5, false, "2 B");
}
END_TEST

START_TEST(entries_as_python_writes_them) {
    char text[STATISTICS_TEXT_SIZE];
    struct statistic entry = {
        .weight = {100000, 3}, .size_diff = -20480, .count_diff = 2};
    statistics_format(text, &entry, false);
    ck_assert_str_eq(text, "size=97.7 KiB, count=3, average=32.6 KiB");
    statistics_format(text, &entry, true);
    ck_assert_str_eq(text, "size=97.7 KiB (-20.0 KiB), count=3 (+2), average=32.6 KiB");
    entry = (struct statistic){.size_diff = -5, .count_diff = -1};
    statistics_format(text, &entry, true);
    ck_assert_str_eq(text, "size=0 B (-5 B), count=0 (-1)");
}
END_TEST

/* A block of `size` on a line of x.py. */
static void add_block(uint32_t line, uint64_t size, uint32_t count) {
    uint32_t code = dump_maker_code(&maker, "x.py", "f");
    uint32_t stack = dump_maker_stack(&maker, 0, code, line);
    dump_maker_bucket(&maker, dump_maker_site(&maker, stack, 0), size, count, 0);
}

struct grouped {
    struct dump_reader *reader;
    struct profile profile;
    struct grouping grouping;
};

static void open_grouped(struct grouped *grouped) {
    grouped->reader = opened_dump_read(&maker);
    ck_assert_int_eq(
        profile_open(&grouped->profile, grouped->reader, &names, PROFILE_NOW), 0);
    ck_assert_int_eq(
        grouping_open(&grouped->grouping, &grouped->profile, GROUPING_LINENO, false),
        0);
}

static void close_grouped(struct grouped *grouped) {
    grouping_close(&grouped->grouping);
    profile_close(&grouped->profile);
    dump_reader_close(grouped->reader);
}

START_TEST(the_largest_come_first_and_ties_backwards) {
    struct grouped grouped;
    struct statistics statistics;
    static const uint32_t lines[] = {4, 5, 3, 2, 1};
    add_block(1, 5, 1);
    add_block(2, 5, 2);
    add_block(3, 20, 1);
    add_block(4, 30, 1);
    add_block(5, 20, 1);
    open_grouped(&grouped);
    for (size_t limit = 0; limit <= 6; limit++) {
        ck_assert_int_eq(statistics_open(&statistics, &grouped.grouping), 0);
        statistics_sort(&statistics, limit);
        ck_assert_uint_eq(statistics.shown, limit < 5 ? limit : 5);
        uint64_t sum = statistics_rest(&statistics).weight.size;
        for (size_t i = 0; i < statistics.shown; i++) {
            ck_assert_uint_eq(statistics.entries[i].frame.line, lines[i]);
            sum += statistics.entries[i].weight.size;
        }
        ck_assert_uint_eq(sum, 85);
        statistics_close(&statistics);
    }
    close_grouped(&grouped);
}
END_TEST

START_TEST(comparison_knows_both_sides) {
    struct grouped old, new;
    struct statistics statistics;
    add_block(1, 100, 1);
    add_block(2, 50, 1);
    open_grouped(&old);
    dump_maker_close(&maker);
    dump_maker_open(&maker);
    add_block(2, 50, 3);
    add_block(3, 7, 1);
    open_grouped(&new);
    ck_assert_int_eq(statistics_compare(&statistics, &old.grouping, &new.grouping), 0);
    statistics_sort(&statistics, SIZE_MAX);
    ck_assert_uint_eq(statistics.count, 3);
    ck_assert_uint_eq(statistics.entries[0].frame.line, 2);
    ck_assert_int_eq(statistics.entries[0].size_diff, 100);
    ck_assert_uint_eq(statistics.entries[1].frame.line, 1);
    ck_assert_int_eq(statistics.entries[1].size_diff, -100);
    ck_assert_uint_eq(statistics.entries[1].weight.count, 0);
    ck_assert_int_eq(statistics.entries[2].count_diff, 1);
    ck_assert_int_eq(statistics.total.size_diff, 7);
    statistics_close(&statistics);
    close_grouped(&new);
    close_grouped(&old);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("statistics");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, sizes_as_python_writes_them);
    tcase_add_test(tests, entries_as_python_writes_them);
    tcase_add_test(tests, the_largest_come_first_and_ties_backwards);
    tcase_add_test(tests, comparison_knows_both_sides);
    return check_run("statistics", tests);
}
