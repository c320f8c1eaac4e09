/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "check_run.h"
#include "merge/merged_dump.h"
#include "opened_dump.h"

static struct dump_maker makers[2];
static struct dump_reader *parts[2];
static struct dump_reader *merged;

static void set_up(void) {
    dump_maker_open(&makers[0]);
    dump_maker_open(&makers[1]);
    makers[0].header.pid = 100;
    makers[1].header.pid = 200;
    makers[1].header.start_time -= 5;
}

static void tear_down(void) {
    for (int i = 0; i < 2; i++) {
        dump_reader_close(parts[i]);
        dump_maker_close(&makers[i]);
    }
    dump_reader_close(merged);
}

static void merge(void) {
    for (int i = 0; i < 2; i++)
        parts[i] = opened_dump_read(&makers[i]);
    ck_assert_int_eq(merged_dump_open(&merged, parts, 2), 0);
}

/* A block by `f` of a file at a line. */
static void hold(int number, const char *file, uint32_t line, uint64_t size,
                 uint32_t count) {
    struct dump_maker *maker = &makers[number];
    uint32_t code = dump_maker_code(maker, file, "f");
    uint32_t stack = dump_maker_stack(maker, 0, code, line);
    dump_maker_bucket(maker, dump_maker_site(maker, stack, 0), size, count, 0);
}

static struct weight total(const struct dump_reader *reader, enum profile_point point) {
    struct frame_names names;
    struct profile profile;
    ck_assert_int_eq(frame_names_open(&names), 0);
    ck_assert_int_eq(profile_open(&profile, reader, &names, point), 0);
    struct weight weight = profile.total;
    profile_close(&profile);
    frame_names_close(&names);
    return weight;
}

START_TEST(blocks_are_the_sum_and_equal_stacks_are_one) {
    hold(0, "other.py", 1, 1000, 1);
    hold(0, "same.py", 7, 10, 3);
    hold(1, "same.py", 7, 10, 4);
    merge();
    ck_assert_uint_eq(total(merged, PROFILE_NOW).size, 1070);
    ck_assert_uint_eq(total(merged, PROFILE_NOW).count, 8);
    ck_assert_uint_eq(merged->stack_count, 4);
    ck_assert_uint_eq(merged->site_count, 3);
    ck_assert_uint_eq(merged->sites[0].stack, merged->sites[2].stack);
    ck_assert_uint_eq(merged->sites[0].process, 0);
    ck_assert_uint_eq(merged->sites[2].process, 1);
    ck_assert_uint_eq(merged->header.python_bytes, 1070);
}
END_TEST

START_TEST(what_wrote_it_is_what_all_have_in_common) {
    snprintf(makers[0].header.library_version, TRACEMALLOC_DUMP_VERSION_SIZE, "1.2.3");
    snprintf(makers[1].header.library_version, TRACEMALLOC_DUMP_VERSION_SIZE, "1.2.4");
    snprintf(makers[0].header.library_build, TRACEMALLOC_DUMP_BUILD_SIZE, "abc");
    snprintf(makers[1].header.library_build, TRACEMALLOC_DUMP_BUILD_SIZE, "abc");
    merge();
    ck_assert_str_eq(merged->header.library_version, "");
    ck_assert_str_eq(merged->header.library_build, "abc");
}
END_TEST

START_TEST(the_header_is_of_the_process_that_started_first) {
    makers[0].header.lost[TRACEMALLOC_DUMP_LOST_NAMES] = 2;
    makers[1].header.lost[TRACEMALLOC_DUMP_LOST_NAMES] = 3;
    makers[1].header.nframe = 4;
    merge();
    ck_assert_uint_eq(merged->header.pid, 200);
    ck_assert_uint_eq(merged->header.nframe, 4);
    ck_assert_uint_eq(merged->header.lost[TRACEMALLOC_DUMP_LOST_NAMES], 5);
    ck_assert_uint_eq(merged->process_count, 2);
    ck_assert_uint_eq(merged->processes[0].pid, 200);
    ck_assert_uint_eq(merged->processes[1].pid, 100);
}
END_TEST

/* One was finalized, the other killed: what is told of is the exit of the one, and the
 * end of the other. */
START_TEST(a_process_without_an_exit_counts_with_its_end) {
    hold(0, "x.py", 1, 100, 1);
    hold(1, "x.py", 1, 100, 2);
    makers[0].header.finalized = 1;
    struct tracemalloc_dump_bucket *bucket =
        dump_maker_entry(&makers[0], TRACEMALLOC_DUMP_BUCKETS, 1);
    bucket->at_exit = 5;
    merge();
    ck_assert_uint_eq(total(merged, PROFILE_NOW).size, 700);
    ck_assert_uint_eq(total(merged, PROFILE_EXIT).size, 700);
    ck_assert_uint_eq(total(merged, PROFILE_END).size, 300);
}
END_TEST

START_TEST(peaks_are_added_though_their_numbers_differ) {
    hold(0, "x.py", 1, 100, 1);
    hold(1, "x.py", 1, 100, 1);
    makers[0].header.peak_number = 3;
    makers[1].header.peak_number = 4;
    dump_maker_peak(&makers[0], 1, 10);
    dump_maker_peak(&makers[1], 1, 2);
    hold(1, "later.py", 1, 7, 3);
    merge();
    ck_assert_uint_eq(total(merged, PROFILE_PEAK).size, 1221);
    ck_assert_uint_eq(total(merged, PROFILE_PEAK).count, 15);
    ck_assert_uint_eq(merged->header.peak_bytes, 1221);
}
END_TEST

/* A merged dump has the epochs of each process, and no stamps: what the buckets say
 * is in the history of their sites. */
START_TEST(histories_are_completed) {
    for (int part = 0; part < 2; part++) {
        hold(part, "x.py", 1, 100, 6);
        for (uint32_t i = 0; i < 8; i++)
            dump_maker_epoch(&makers[part], (part > 0 ? 1000 : 0) + i, 10 * i);
        struct tracemalloc_dump_bucket *bucket =
            dump_maker_entry(&makers[part], TRACEMALLOC_DUMP_BUCKETS, 1);
        bucket->live_before = 9;
        bucket->birth = 1;
        bucket->stamp = part > 0 ? 70 : 50;
    }
    merge();
    ck_assert_uint_eq(merged->epoch_count, 16);
    struct dump_epochs epochs = dump_reader_epochs(merged, 1);
    ck_assert_uint_eq(epochs.count, 8);
    ck_assert_uint_eq(epochs.entries[7].start, 7); /* it started later */
    for (unsigned i = 0; i < 2; i++) {
        const struct tracemalloc_dump_site *site = &merged->sites[i];
        ck_assert_int_eq(site->risen[1], -300);
        ck_assert_uint_eq(site->freed_late[2], 3);
        ck_assert_uint_eq(merged->buckets[i + 1].live_before, 6);
        ck_assert_uint_eq(merged->buckets[i + 1].birth, 1);
    }
}
END_TEST

START_TEST(special_stacks_keep_their_numbers) {
    dump_maker_bucket(&makers[1],
                      dump_maker_site(&makers[1], TRACEMALLOC_DUMP_OVERFLOW_STACK, 0),
                      8, 1, 0);
    dump_maker_bucket(&makers[1],
                      dump_maker_site(&makers[1], TRACEMALLOC_DUMP_EMPTY_STACK, 0), 9,
                      1, 0);
    merge();
    ck_assert_uint_eq(merged->sites[0].stack, TRACEMALLOC_DUMP_OVERFLOW_STACK);
    ck_assert_uint_eq(merged->sites[1].stack, TRACEMALLOC_DUMP_EMPTY_STACK);
}
END_TEST

static void count(int number, uint32_t bucket, const char *type, uint32_t blocks) {
    struct dump_maker *maker = &makers[number];
    const struct tracemalloc_dump_type none = {0},
                                       named = {dump_maker_text(maker, type), 0};
    dump_maker_append(maker, TRACEMALLOC_DUMP_TYPES, &none);
    uint32_t id = dump_maker_append(maker, TRACEMALLOC_DUMP_TYPES, &named);
    const struct tracemalloc_dump_census entry = {bucket, id, blocks};
    dump_maker_append(maker, TRACEMALLOC_DUMP_CENSUS, &entry);
}

START_TEST(types_of_one_name_are_one) {
    hold(0, "same.py", 7, 10, 3);
    hold(1, "other.py", 1, 1000, 1);
    hold(1, "same.py", 7, 10, 4);
    count(0, 1, "dict", 3);
    count(1, 2, "dict", 2);
    makers[0].header.census_time = 50;
    makers[1].header.census_time = 40;
    merge();
    ck_assert_uint_eq(merged->type_count, 2);
    ck_assert_uint_eq(merged->census_count, 2);
    ck_assert_uint_eq(merged->header.census_time, 50);
    ck_assert_uint_eq(total(merged, PROFILE_CENSUS).count, 5);
    ck_assert_uint_eq(total(merged, PROFILE_CENSUS).size, 50);
    ck_assert_uint_eq(merged->header.census_unread, 0);
}
END_TEST

START_TEST(a_process_without_a_census_is_not_counted) {
    hold(0, "same.py", 7, 10, 3);
    hold(1, "same.py", 7, 10, 4);
    count(0, 1, "dict", 3);
    makers[0].header.census_time = 50;
    merge();
    ck_assert_uint_eq(total(merged, PROFILE_CENSUS).count, 3);
    ck_assert_uint_eq(merged->header.census_unread, 4);
}
END_TEST

START_TEST(a_merged_dump_is_merged_again) {
    hold(0, "x.py", 1, 100, 1);
    hold(1, "x.py", 2, 50, 1);
    merge();
    struct dump_reader *again, *both[2] = {merged, parts[0]};
    ck_assert_int_eq(merged_dump_open(&again, both, 2), 0);
    ck_assert_uint_eq(again->process_count, 3);
    ck_assert_uint_eq(again->sites[2].process, 2);
    ck_assert_uint_eq(total(again, PROFILE_NOW).size, 250);
    dump_reader_close(again);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("merged_dump");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, blocks_are_the_sum_and_equal_stacks_are_one);
    tcase_add_test(tests, what_wrote_it_is_what_all_have_in_common);
    tcase_add_test(tests, the_header_is_of_the_process_that_started_first);
    tcase_add_test(tests, a_process_without_an_exit_counts_with_its_end);
    tcase_add_test(tests, peaks_are_added_though_their_numbers_differ);
    tcase_add_test(tests, histories_are_completed);
    tcase_add_test(tests, special_stacks_keep_their_numbers);
    tcase_add_test(tests, types_of_one_name_are_one);
    tcase_add_test(tests, a_process_without_a_census_is_not_counted);
    tcase_add_test(tests, a_merged_dump_is_merged_again);
    return check_run("merged_dump", tests);
}
