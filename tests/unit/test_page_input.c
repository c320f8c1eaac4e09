/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "check_run.h"
#include "export/page_input.h"
#include "opened_dump.h"

static struct dump_maker maker;
static struct filter filter;
static struct page_options options;
static struct page_input input;

static void set_up(void) {
    dump_maker_open(&maker);
    filter = (struct filter){0};
    options = (struct page_options){.name = "x.dump", .filter = &filter};
}

static void tear_down(void) {
    page_input_close(&input);
    dump_reader_close((struct dump_reader *)options.reader);
    dump_reader_close((struct dump_reader *)options.old);
    dump_maker_close(&maker);
}

static void hold(uint32_t line, uint64_t bytes, uint32_t live) {
    uint32_t code = dump_maker_code(&maker, "x.py", "f");
    uint32_t stack = dump_maker_stack(&maker, 0, code, line);
    dump_maker_bucket(&maker, dump_maker_site(&maker, stack, 0), bytes, live, live);
}

static int open_input(void) {
    options.reader = opened_dump_read(&maker);
    return page_input_open(&input, &options);
}

static void ck_moments(size_t count, const enum profile_point *expected) {
    ck_assert_uint_eq(input.point_count, count);
    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(input.points[i], expected[i]);
}

START_TEST(a_program_that_was_not_finalized_has_no_exit) {
    hold(1, 10, 1);
    ck_assert_int_eq(open_input(), 0);
    ck_moments(3, (enum profile_point[]){PROFILE_NOW, PROFILE_PEAK, PROFILE_TEMPORARY});
    ck_assert_uint_eq(input.columns, 7);
}
END_TEST

START_TEST(each_moment_of_a_finished_program) {
    maker.header.finalized = 1;
    hold(1, 10, 1);
    ck_assert_int_eq(open_input(), 0);
    ck_moments(5, (enum profile_point[]){PROFILE_NOW, PROFILE_PEAK, PROFILE_EXIT,
                                         PROFILE_END, PROFILE_TEMPORARY});
    ck_assert_uint_eq(input.columns, 11);
}
END_TEST

/* A point in time that one dump does not hold has no difference. */
START_TEST(only_moments_that_both_dumps_hold) {
    hold(1, 10, 1);
    options.old = opened_dump_read(&maker);
    maker.header.finalized = 1;
    ck_assert_int_eq(open_input(), 0);
    ck_moments(3, (enum profile_point[]){PROFILE_NOW, PROFILE_PEAK, PROFILE_TEMPORARY});
    ck_assert_uint_eq(input.columns, 14);
}
END_TEST

START_TEST(the_end_can_be_asked_for) {
    hold(1, 10, 1);
    options.point = PROFILE_END;
    ck_assert_int_eq(open_input(), 0);
    ck_moments(4, (enum profile_point[]){PROFILE_NOW, PROFILE_PEAK, PROFILE_END,
                                         PROFILE_TEMPORARY});
}
END_TEST

START_TEST(sampled_blocks_are_not_counted_as_temporary) {
    maker.header.sample_distance = 512;
    hold(1, 10, 1);
    ck_assert_int_eq(open_input(), 0);
    ck_moments(2, (enum profile_point[]){PROFILE_NOW, PROFILE_PEAK});
}
END_TEST

START_TEST(the_share_folds_both_trees) {
    for (uint32_t line = 1; line <= 50; line++)
        hold(line, 10, 1);
    hold(99, 10000, 1);
    options.share = 0.05; /* of the bytes, and of the blocks */
    ck_assert_int_eq(open_input(), 0);
    size_t folded = input.trees[0].count;
    ck_assert_uint_lt(folded, 10);
    ck_assert_uint_lt(input.trees[1].count, 10);
    page_input_close(&input);
    options.share = 0;
    ck_assert_int_eq(page_input_open(&input, &options), 0);
    ck_assert_uint_gt(input.trees[0].count, 50);
}
END_TEST

START_TEST(processes_can_be_the_first_frames) {
    for (uint32_t pid = 41; pid <= 42; pid++) {
        struct tracemalloc_dump_process process = {.pid = pid,
                                                   .state = TRACEMALLOC_DUMP_EXITED};
        dump_maker_append(&maker, TRACEMALLOC_DUMP_PROCESSES, &process);
    }
    hold(1, 10, 1);
    ck_assert_int_eq(open_input(), 0);
    size_t plain = input.trees[0].count;
    page_input_close(&input);
    options.by_process = true;
    ck_assert_int_eq(page_input_open(&input, &options), 0);
    ck_assert_uint_eq(input.trees[0].count, plain + 1);
}
END_TEST

/* The input is closed then, and can be closed again. */
START_TEST(errors_leave_nothing_behind) {
    hold(1, 10, 1);
    options.point = PROFILE_EXIT;
    ck_assert_int_eq(open_input(), -ENODATA);
    ck_assert_ptr_null(input.trees[0].nodes);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("page_input");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_program_that_was_not_finalized_has_no_exit);
    tcase_add_test(tests, each_moment_of_a_finished_program);
    tcase_add_test(tests, only_moments_that_both_dumps_hold);
    tcase_add_test(tests, the_end_can_be_asked_for);
    tcase_add_test(tests, sampled_blocks_are_not_counted_as_temporary);
    tcase_add_test(tests, the_share_folds_both_trees);
    tcase_add_test(tests, processes_can_be_the_first_frames);
    tcase_add_test(tests, errors_leave_nothing_behind);
    return check_run("page_input", tests);
}
