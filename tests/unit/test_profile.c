/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include "check_run.h"
#include "opened_dump.h"

static struct dump_maker maker;
static uint32_t first_site, first_bucket;

/* Live 3 * 100 and 1 * 7, at exit 5 * 100. */
static void set_up(void) {
    dump_maker_open(&maker);
    uint32_t code = dump_maker_code(&maker, "/src/app.py", "main");
    uint32_t stack = dump_maker_stack(&maker, 0, code, 10);
    first_site = dump_maker_site(&maker, stack, 0);
    first_bucket = dump_maker_bucket(&maker, first_site, 100, 3, 5);
    dump_maker_bucket(&maker, dump_maker_site(&maker, stack, 1), 7, 1, 0);
}

static void tear_down(void) {
    dump_maker_close(&maker);
}

static void ck_total(enum profile_point point, uint64_t size, uint64_t count) {
    struct opened_dump opened;
    opened_dump_open(&opened, &maker, point);
    ck_assert_uint_eq(opened.profile.total.size, size);
    ck_assert_uint_eq(opened.profile.total.count, count);
    opened_dump_close(&opened);
}

START_TEST(now_is_live_until_the_program_is_finalized) {
    ck_total(PROFILE_NOW, 307, 4);
    maker.header.finalized = 1;
    ck_total(PROFILE_NOW, 500, 5);
    ck_total(PROFILE_EXIT, 500, 5);
    ck_total(PROFILE_END, 307, 4);
}
END_TEST

START_TEST(there_is_no_exit_before_it) {
    struct frame_names names;
    struct profile profile;
    struct dump_reader *reader = opened_dump_read(&maker);
    ck_assert_int_eq(frame_names_open(&names), 0);
    ck_assert_int_eq(profile_open(&profile, reader, &names, PROFILE_EXIT), -ENODATA);
    frame_names_close(&names);
    dump_reader_close(reader);
}
END_TEST

START_TEST(what_was_allocated_is_counted_for_ever) {
    struct tracemalloc_dump_site *site =
        dump_maker_entry(&maker, TRACEMALLOC_DUMP_SITES, first_site);
    ck_total(PROFILE_ALLOCATED, 807, 9);
    site->total_bytes = 5000;
    site->total_blocks = 50;
    ck_total(PROFILE_ALLOCATED, 5807, 59);
}
END_TEST

START_TEST(the_peak_is_what_buckets_held_then) {
    struct tracemalloc_dump_bucket *bucket =
        dump_maker_entry(&maker, TRACEMALLOC_DUMP_BUCKETS, first_bucket);
    ck_total(PROFILE_PEAK, 307, 4);
    maker.header.peak_number = 9;
    dump_maker_peak(&maker, first_bucket, 40);
    ck_total(PROFILE_PEAK, 4007, 41);
    bucket->stamp = 8;
    ck_total(PROFILE_PEAK, 307, 4);
    bucket->stamp = 9;
    maker.header.native_bytes = maker.header.peak_bytes;
    ck_total(PROFILE_PEAK, 307, 4);
}
END_TEST

START_TEST(domains_are_apart) {
    struct opened_dump opened;
    opened_dump_open(&opened, &maker, PROFILE_NOW);
    struct weight *domains = profile_domains(&opened.profile);
    ck_assert_uint_eq(domains[0].size, 300);
    ck_assert_uint_eq(domains[1].size, 7);
    ck_assert_uint_eq(domains[1].count, 1);
    ck_assert_uint_eq(domains[2].count, 0);
    free(domains);
    opened_dump_close(&opened);
}
END_TEST

START_TEST(frames_have_names_and_functions) {
    struct opened_dump opened;
    opened_dump_open(&opened, &maker, PROFILE_NOW);
    struct frame frame = profile_frame(&opened.profile, 2);
    ck_assert_str_eq(profile_filename(&opened.profile, frame).bytes, "/src/app.py");
    ck_assert_uint_eq(frame.line, 10);
    ck_assert_str_eq(profile_function(&opened.profile, 2).bytes, "main");
    frame = profile_frame(&opened.profile, TRACEMALLOC_DUMP_EMPTY_STACK);
    ck_assert_str_eq(profile_filename(&opened.profile, frame).bytes, "<unknown>");
    frame = profile_frame(&opened.profile, TRACEMALLOC_DUMP_OVERFLOW_STACK);
    ck_assert_str_eq(profile_filename(&opened.profile, frame).bytes, "<overflow>");
    opened_dump_close(&opened);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("profile");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, now_is_live_until_the_program_is_finalized);
    tcase_add_test(tests, there_is_no_exit_before_it);
    tcase_add_test(tests, what_was_allocated_is_counted_for_ever);
    tcase_add_test(tests, the_peak_is_what_buckets_held_then);
    tcase_add_test(tests, domains_are_apart);
    tcase_add_test(tests, frames_have_names_and_functions);
    return check_run("profile", tests);
}
