/* SPDX-License-Identifier: MIT */
#include "profile/births.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "merge/merged_dump.h"
#include "opened_dump.h"
#include "show/births_report.h"
#include "suite.h"

enum { EPOCHS = 10, LENGTH = 8 };

static const uint64_t second = 1000000000;
/* 2023-11-14 22:13:20 UTC */
static const uint64_t start = 1700000000000000000;

static struct dump_maker maker;

/* Epochs of 8 s, in each of which 2^i blocks of one byte were born. */
static void begin(uint64_t first) {
    setenv("TZ", "UTC0", 1);
    tzset();
    dump_maker_open(&maker);
    maker.header.start_time = first;
    maker.header.end_time = first + EPOCHS * LENGTH * second;
    uint32_t code = dump_maker_code(&maker, "app.py", "work");
    uint32_t stack = dump_maker_stack(&maker, 0, code, 1);
    uint32_t site = dump_maker_site(&maker, stack, 0);
    for (uint32_t i = 0; i < EPOCHS; i++) {
        dump_maker_epoch(&maker, first + i * LENGTH * second, i + 1);
        uint32_t id = dump_maker_bucket(&maker, site, 1, 1u << i, 0);
        struct tracemalloc_dump_bucket *bucket =
            dump_maker_entry(&maker, TRACEMALLOC_DUMP_BUCKETS, id);
        bucket->birth = (uint8_t)i;
        bucket->stamp = i + 1;
        bucket->peak_live = bucket->live;
    }
}

static void add_overflow(uint32_t blocks) {
    uint32_t site = dump_maker_site(&maker, TRACEMALLOC_DUMP_OVERFLOW_STACK, 0);
    dump_maker_bucket(&maker, site, 1, blocks, 0);
}

static int select_range(struct dump_reader *reader, const char *text) {
    struct birth_range range = {0};
    ck_assert_int_eq(birth_range_parse(&range, text), 0);
    return births_select(reader, &range);
}

static uint64_t total(const struct dump_reader *reader, enum profile_point point) {
    struct frame_names names;
    struct profile profile;
    ck_assert_int_eq(frame_names_open(&names), 0);
    ck_assert_int_eq(profile_open(&profile, reader, &names, point), 0);
    uint64_t size = profile.total.size;
    profile_close(&profile);
    frame_names_close(&names);
    return size;
}

static uint64_t bytes_born(const char *text, enum profile_point point) {
    struct dump_reader *reader = opened_dump_read(&maker);
    ck_assert_int_eq(select_range(reader, text), 0);
    uint64_t size = total(reader, point);
    dump_reader_close(reader);
    return size;
}

START_TEST(a_range_is_widened_to_epochs) {
    begin(start);
    ck_assert_uint_eq(bytes_born("..", PROFILE_NOW), 1023);
    ck_assert_uint_eq(bytes_born("8..16", PROFILE_NOW), 2);
    ck_assert_uint_eq(bytes_born("9..10", PROFILE_NOW), 2);
    ck_assert_uint_eq(bytes_born("7.9..16.1", PROFILE_NOW), 7);
    ck_assert_uint_eq(bytes_born("16..16", PROFILE_NOW), 4);
    ck_assert_uint_eq(bytes_born("64..", PROFILE_NOW), 256 + 512);
    ck_assert_uint_eq(bytes_born("22:13:30..22:13:35", PROFILE_NOW), 2);
    ck_assert_uint_eq(bytes_born("8..16", PROFILE_PEAK), 2);
    ck_assert_uint_eq(bytes_born("8..16", PROFILE_ALLOCATED), 1023);
    dump_maker_close(&maker);
}
END_TEST

static void expect_text(const char *range, const char *expected) {
    struct dump_reader *reader = opened_dump_read(&maker);
    char text[BIRTHS_REPORT_SIZE];
    ck_assert(!births_report_text(reader, text));
    ck_assert_int_eq(select_range(reader, range), 0);
    ck_assert(births_report_text(reader, text));
    ck_assert_str_eq(text, expected);
    dump_reader_close(reader);
}

START_TEST(the_real_bounds_are_said) {
    begin(start);
    expect_text("9..30", "born between 22:13:28 and 22:13:52 (epochs of 8 s)");
    expect_text("9..10", "born between 22:13:28.000 and 22:13:36.000 (epochs of 8 s)");
    expect_text("75..", "born between 22:14:32.000 and 22:14:40.000");
    dump_maker_close(&maker);
    begin(start + 106 * 60 * second);
    expect_text("..50", "born between 2023-11-14 23:59:20 and 2023-11-15 00:00:16 "
                        "(epochs of 8 s)");
    dump_maker_close(&maker);
}
END_TEST

START_TEST(blocks_without_a_birth_are_left_out) {
    begin(start);
    add_overflow(5000);
    ck_assert_uint_eq(bytes_born("0..1", PROFILE_NOW), 1);
    maker.header.growth = TRACEMALLOC_DUMP_GROWTH_FULL;
    expect_text("0..30", "born between 22:13:20 and 22:13:52 (epochs of 8 s); without "
                         "5000 blocks of <overflow>, whose births are unknown; births "
                         "after the dump was full may be shown as earlier ones");
    dump_maker_close(&maker);
}
END_TEST

START_TEST(a_dump_without_epochs_is_refused) {
    dump_maker_open(&maker);
    struct dump_reader *reader = opened_dump_read(&maker);
    struct birth_range none = {0};
    ck_assert_int_eq(select_range(reader, "1..2"), -ENODATA);
    ck_assert_int_eq(births_select(reader, &none), 0);
    dump_reader_close(reader);
    dump_maker_close(&maker);
}
END_TEST

START_TEST(a_range_outside_is_refused) {
    begin(start);
    struct dump_reader *reader = opened_dump_read(&maker);
    ck_assert_int_eq(select_range(reader, "81..90"), -EDOM);
    ck_assert_ptr_null(reader->births.epochs);
    dump_reader_close(reader);
    dump_maker_close(&maker);
}
END_TEST

/* Each process has its own epochs. */
START_TEST(processes_of_a_merged_dump) {
    struct dump_reader *parts[2], *merged;
    begin(start);
    parts[0] = opened_dump_read(&maker);
    dump_maker_close(&maker);
    begin(start + 20 * second);
    parts[1] = opened_dump_read(&maker);
    dump_maker_close(&maker);
    ck_assert_int_eq(merged_dump_open(&merged, parts, 2), 0);
    ck_assert_int_eq(select_range(merged, "0..10"), 0);
    ck_assert_uint_eq(total(merged, PROFILE_NOW), 1 + 2);
    dump_reader_close(merged);
    ck_assert_int_eq(merged_dump_open(&merged, parts, 2), 0);
    ck_assert_int_eq(select_range(merged, "24..28"), 0);
    ck_assert_uint_eq(total(merged, PROFILE_NOW), 8 + 1);
    ck_assert_uint_eq(merged->births.from, start + 20 * second);
    ck_assert_uint_eq(merged->births.to, start + 32 * second);
    dump_reader_close(merged);
    dump_reader_close(parts[0]);
    dump_reader_close(parts[1]);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        a_range_is_widened_to_epochs,        the_real_bounds_are_said,
        blocks_without_a_birth_are_left_out, a_dump_without_epochs_is_refused,
        a_range_outside_is_refused,          processes_of_a_merged_dump,
    };
    return suite_run("births", tests, sizeof tests / sizeof *tests);
}
