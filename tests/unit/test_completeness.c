/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "check_run.h"
#include "opened_dump.h"
#include "show/completeness.h"

static struct dump_maker maker;

static void set_up(void) {
    dump_maker_open(&maker);
}
static void tear_down(void) {
    dump_maker_close(&maker);
}

/* The reasons, each followed by a newline. */
static void read_reasons(char *all, size_t size) {
    struct dump_reader *reader = opened_dump_read(&maker);
    char text[COMPLETENESS_TEXT_SIZE];
    all[0] = '\0';
    for (size_t at = 0; completeness_next(reader, &at, text);) {
        strncat(all, text, size - strlen(all) - 2);
        strcat(all, "\n");
    }
    ck_assert_int_eq(completeness_holds(reader), all[0] == '\0');
    dump_reader_close(reader);
}

START_TEST(a_good_dump_is_complete) {
    char reasons[1000];
    read_reasons(reasons, sizeof reasons);
    ck_assert_str_eq(reasons, "");
}
END_TEST

START_TEST(what_was_lost_is_counted) {
    char reasons[1000];
    maker.header.lost[TRACEMALLOC_DUMP_LOST_STACKS] = 12;
    maker.header.lost[TRACEMALLOC_DUMP_REASONS - 1] = 3;
    read_reasons(reasons, sizeof reasons);
    ck_assert_str_eq(
        reasons,
        "the table of stacks was full: 12 allocations are shown as <overflow>\n"
        "data of a kind unknown to this version is missing (3)\n");
}
END_TEST

static void expect_cause(enum tracemalloc_dump_growth growth, int error,
                         const char *expected) {
    char reasons[1000];
    maker.header.lost[TRACEMALLOC_DUMP_LOST_STACKS] = 12;
    maker.header.growth = (uint16_t)growth;
    maker.header.growth_error = (uint16_t)error;
    read_reasons(reasons, sizeof reasons);
    ck_assert_ptr_nonnull(strstr(reasons, "12 allocations are shown as <overflow>"));
    if (strncmp(reasons, expected, strlen(expected)) != 0)
        ck_abort_msg("%s", reasons);
}

START_TEST(why_the_file_did_not_grow_is_named) {
    expect_cause(TRACEMALLOC_DUMP_GROWTH_FULL, ENOSPC, "the disk was full: 12 ");
    expect_cause(TRACEMALLOC_DUMP_GROWTH_QUOTA, EDQUOT, "the disk quota was used up: ");
    expect_cause(TRACEMALLOC_DUMP_GROWTH_BOUND, EFBIG,
                 "the file reached its maximum size (TRACEMALLOC_MAX_FILE): ");
    expect_cause(TRACEMALLOC_DUMP_GROWTH_LIMIT, EDOM,
                 "the file reached the process's file size limit (RLIMIT_FSIZE): ");
    expect_cause(TRACEMALLOC_DUMP_GROWTH_NAME, EACCES,
                 "the process could not reopen the file (Permission denied): ");
    expect_cause(99, 0, "the table of stacks was full: ");
}
END_TEST

START_TEST(damage_and_overflow_are_seen) {
    char reasons[1000];
    uint32_t site = dump_maker_site(&maker, TRACEMALLOC_DUMP_OVERFLOW_STACK, 0);
    dump_maker_bucket(&maker, site, 8, 1, 0);
    dump_maker_site(&maker, 1000, 0);
    read_reasons(reasons, sizeof reasons);
    ck_assert_str_eq(
        reasons,
        "the file is damaged: 1 of its entries are invalid\n"
        "the table of stacks was full: what did not fit is shown as <overflow>\n");
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("completeness");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_good_dump_is_complete);
    tcase_add_test(tests, what_was_lost_is_counted);
    tcase_add_test(tests, why_the_file_did_not_grow_is_named);
    tcase_add_test(tests, damage_and_overflow_are_seen);
    return check_run("completeness", tests);
}
