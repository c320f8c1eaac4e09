/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "check_run.h"
#include "export/export_input.h"
#include "opened_dump.h"

static struct dump_maker maker;
static struct dump_reader *reader;
static struct export_input input;

/* Live 3 * 100 in Python and 7 in libc, more than ever before. */
static void set_up(void) {
    dump_maker_open(&maker);
    uint32_t code = dump_maker_code(&maker, "app.py", "main");
    uint32_t stack = dump_maker_stack(&maker, 0, code, 10);
    dump_maker_bucket(&maker, dump_maker_site(&maker, stack, 0), 100, 3, 0);
    dump_maker_bucket(&maker, dump_maker_site(&maker, stack, 1), 7, 1, 0);
    export_input_prepare(&input);
    reader = opened_dump_read(&maker);
}

static void tear_down(void) {
    export_input_close(&input);
    dump_reader_close(reader);
    dump_maker_close(&maker);
}

START_TEST(all_measures_are_weighed) {
    static const struct filter everything;
    ck_assert_int_eq(export_input_open(&input, reader, &everything), 0);
    ck_assert_uint_eq(input.shown.total.size, 307);
    ck_assert_uint_eq(input.allocated.total.size, 307);
    ck_assert_uint_eq(input.peak.total.size, 307);
    ck_assert_uint_eq(export_input_pid(&input, 0), reader->header.pid);
}
END_TEST

START_TEST(all_measures_are_filtered) {
    static const struct filter libc = {.domain = "libc"};
    ck_assert_int_eq(export_input_open(&input, reader, &libc), 0);
    ck_assert_uint_eq(input.shown.total.size, 7);
    ck_assert_uint_eq(input.allocated.total.size, 7);
    ck_assert_uint_eq(input.peak.total.size, 7);
}
END_TEST

START_TEST(an_unknown_domain_is_an_error) {
    static const struct filter unknown = {.domain = "nonsense"};
    ck_assert_int_eq(export_input_open(&input, reader, &unknown), -ENOENT);
}
END_TEST

START_TEST(a_program_that_did_not_get_there_has_no_exit) {
    static const struct filter everything;
    input.point = PROFILE_EXIT;
    ck_assert_int_eq(export_input_open(&input, reader, &everything), -ENODATA);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("export_input");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, all_measures_are_weighed);
    tcase_add_test(tests, all_measures_are_filtered);
    tcase_add_test(tests, an_unknown_domain_is_an_error);
    tcase_add_test(tests, a_program_that_did_not_get_there_has_no_exit);
    return check_run("export_input", tests);
}
