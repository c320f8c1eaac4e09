/* SPDX-License-Identifier: MIT */
#include "check_run.h"
#include "exported_dump.h"

static struct dump_maker maker;

static void set_up(void) {
    dump_maker_open(&maker);
}

static void tear_down(void) {
    dump_maker_close(&maker);
}

static void hold(const char *filename, const char *function, uint32_t line,
                 uint64_t size, uint32_t domain) {
    uint32_t main_code = dump_maker_code(&maker, "app.py", "<module>");
    uint32_t code = dump_maker_code(&maker, filename, function);
    uint32_t stack = dump_maker_stack(&maker, 0, main_code, 1);
    stack = dump_maker_stack(&maker, stack, code, line);
    dump_maker_bucket(&maker, dump_maker_site(&maker, stack, domain), size, 1, 0);
}

static void ck_export(const char *expected, const struct export_input *settings) {
    struct exported_dump result = exported_dump_make(&maker, "collapsed", settings);
    ck_assert_int_eq(result.error, 0);
    ck_assert_str_eq(result.bytes, expected);
    exported_dump_free(&result);
}

static void ck_export_all(const char *expected) {
    struct export_input settings;
    export_input_prepare(&settings);
    ck_export(expected, &settings);
}

START_TEST(the_oldest_frame_comes_first_and_the_largest_stack) {
    hold("x.py", "f", 2, 100, 0);
    hold("y.py", "g", 3, 3000, 0);
    ck_export_all("<module> (app.py:1);g (y.py:3) 3000\n"
                  "<module> (app.py:1);f (x.py:2) 100\n");
}
END_TEST

START_TEST(equal_stacks_are_one_whatever_their_domain) {
    hold("x.py", "f", 2, 100, 0);
    hold("x.py", "f", 2, 11, 1);
    ck_export_all("<module> (app.py:1);f (x.py:2) 111\n");
}
END_TEST

START_TEST(what_would_end_a_frame_is_replaced) {
    hold("a;b\n100%.py", "f\xed\xb2\x80", 2, 5, 0);
    ck_export_all("<module> (app.py:1);f\\udc80 (a%3Bb%0A100%25.py:2) 5\n");
}
END_TEST

START_TEST(blocks_without_frames_are_unknown) {
    dump_maker_bucket(&maker, dump_maker_site(&maker, 0, 1), 5, 2, 0);
    ck_export_all("<unknown> 10\n");
}
END_TEST

START_TEST(what_is_beyond_the_limit_is_other) {
    struct export_input settings;
    export_input_prepare(&settings);
    settings.limit = 1;
    hold("x.py", "f", 2, 100, 0);
    hold("y.py", "g", 3, 20, 0);
    hold("z.py", "h", 3, 3, 0);
    ck_export("<module> (app.py:1);f (x.py:2) 100\n<other> 23\n", &settings);
}
END_TEST

START_TEST(a_process_is_the_oldest_frame) {
    struct export_input settings;
    export_input_prepare(&settings);
    settings.by_process = true;
    maker.header.pid = 4242;
    hold("x.py", "f", 2, 100, 0);
    ck_export("process 4242;<module> (app.py:1);f (x.py:2) 100\n", &settings);
}
END_TEST

START_TEST(a_stack_is_cut_to_the_frame_limit) {
    maker.header.nframe = 1;
    hold("x.py", "f", 2, 100, 0);
    ck_export_all("f (x.py:2) 100\n");
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("collapsed");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, the_oldest_frame_comes_first_and_the_largest_stack);
    tcase_add_test(tests, equal_stacks_are_one_whatever_their_domain);
    tcase_add_test(tests, what_would_end_a_frame_is_replaced);
    tcase_add_test(tests, blocks_without_frames_are_unknown);
    tcase_add_test(tests, what_is_beyond_the_limit_is_other);
    tcase_add_test(tests, a_process_is_the_oldest_frame);
    tcase_add_test(tests, a_stack_is_cut_to_the_frame_limit);
    return check_run("collapsed", tests);
}
