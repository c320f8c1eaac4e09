/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "check_run.h"
#include "opened_dump.h"
#include "profile/filter.h"

static struct dump_maker maker;

/* One block of 1, 2, 4, 8 and 16 bytes: called from a.py, b.py line 1 and 2, under
 * a.py, without frames, and mmap. */
static void set_up(void) {
    dump_maker_open(&maker);
    uint32_t a = dump_maker_code(&maker, "/lib/a.py", "a");
    uint32_t b = dump_maker_code(&maker, "/lib/b.pyc", "b");
    uint32_t caller = dump_maker_stack(&maker, 0, a, 1);
    uint32_t stacks[] = {caller, dump_maker_stack(&maker, caller, b, 1),
                         dump_maker_stack(&maker, 0, b, 2), 0, 0};
    for (int i = 0; i < 5; i++)
        dump_maker_bucket(&maker, dump_maker_site(&maker, stacks[i], i < 4 ? 0 : 2),
                          1u << i, 1, 0);
}

static void tear_down(void) {
    dump_maker_close(&maker);
}

static uint64_t left(const struct filter *filter) {
    struct opened_dump opened;
    opened_dump_open(&opened, &maker, PROFILE_NOW);
    ck_assert_int_eq(filter_apply(filter, &opened.profile), 0);
    uint64_t size = opened.profile.total.size;
    opened_dump_close(&opened);
    return size;
}

static uint64_t left_with(const char *pattern, bool inclusive, bool all_frames) {
    struct filter filter = {.all_frames = all_frames};
    ck_assert_int_eq(filter_add(&filter, pattern, inclusive), 0);
    return left(&filter);
}

START_TEST(patterns_look_at_the_most_recent_frame) {
    ck_assert_uint_eq(left_with("*/a.py", true, false), 1);
    ck_assert_uint_eq(left_with("*/a.py", false, false), 30);
    ck_assert_uint_eq(left_with("<unknown>", true, false), 24);
    ck_assert_uint_eq(left_with("nothing", true, false), 0);
    ck_assert_uint_eq(left_with("nothing", false, false), 31);
}
END_TEST

START_TEST(or_at_all_frames) {
    ck_assert_uint_eq(left_with("*/a.py", true, true), 3);
    ck_assert_uint_eq(left_with("*/a.py", false, true), 28);
    maker.header.nframe = 1;
    ck_assert_uint_eq(left_with("*/a.py", true, true), 1);
}
END_TEST

START_TEST(compiled_files_count_as_their_source) {
    ck_assert_uint_eq(left_with("*/b.py", true, false), 6);
    ck_assert_uint_eq(left_with("*/b.pyc", true, false), 6);
}
END_TEST

START_TEST(a_line_may_follow) {
    ck_assert_uint_eq(left_with("*/b.py:2", true, false), 4);
    ck_assert_uint_eq(left_with("*/b.py:2", false, false), 27);
    ck_assert_uint_eq(left_with("*/b.py:", true, false), 0);
}
END_TEST

START_TEST(one_inclusion_and_no_exclusion) {
    struct filter filter = {0};
    ck_assert_int_eq(filter_add(&filter, "*a.py", true), 0);
    ck_assert_int_eq(filter_add(&filter, "*b.py", true), 0);
    ck_assert_int_eq(filter_add(&filter, "*:1", false), 0);
    ck_assert_uint_eq(left(&filter), 4);
}
END_TEST

START_TEST(domains_by_name_or_number) {
    ck_assert_uint_eq(left(&(struct filter){.domain = "mmap"}), 16);
    ck_assert_uint_eq(left(&(struct filter){.domain = "0"}), 15);
    ck_assert_uint_eq(left(&(struct filter){.domain = "77"}), 0);
    struct opened_dump opened;
    opened_dump_open(&opened, &maker, PROFILE_NOW);
    struct filter filter = {.domain = "nonsense"};
    ck_assert_int_eq(filter_apply(&filter, &opened.profile), -ENOENT);
    opened_dump_close(&opened);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("filter");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, patterns_look_at_the_most_recent_frame);
    tcase_add_test(tests, or_at_all_frames);
    tcase_add_test(tests, compiled_files_count_as_their_source);
    tcase_add_test(tests, a_line_may_follow);
    tcase_add_test(tests, one_inclusion_and_no_exclusion);
    tcase_add_test(tests, domains_by_name_or_number);
    return check_run("filter", tests);
}
