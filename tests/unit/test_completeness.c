/* SPDX-License-Identifier: MIT */
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
        "something of an unknown kind is missing (3)\n");
}
END_TEST

START_TEST(damage_and_overflow_are_seen) {
    char reasons[1000];
    uint32_t tally = dump_maker_tally(&maker, TRACEMALLOC_DUMP_OVERFLOW_STACK, 0);
    dump_maker_site(&maker, tally, 8, 1, 0);
    dump_maker_tally(&maker, 1000, 0);
    read_reasons(reasons, sizeof reasons);
    ck_assert_str_eq(
        reasons,
        "the file is damaged: 1 entries of it make no sense\n"
        "the table of stacks was full: what did not fit is shown as <overflow>\n");
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("completeness");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_good_dump_is_complete);
    tcase_add_test(tests, what_was_lost_is_counted);
    tcase_add_test(tests, damage_and_overflow_are_seen);
    return check_run("completeness", tests);
}
