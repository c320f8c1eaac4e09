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

static void hold(const char *filename, uint32_t caller_line, uint32_t domain) {
    uint32_t caller = dump_maker_code(&maker, "app.py", "main");
    uint32_t code = dump_maker_code(&maker, filename, "f");
    uint32_t stack = dump_maker_stack(&maker, 0, caller, caller_line);
    stack = dump_maker_stack(&maker, stack, code, 7);
    dump_maker_bucket(&maker, dump_maker_site(&maker, stack, domain), 10, 3, 0);
}

static void ck_export(const char *expected, const struct export_input *settings) {
    struct exported_dump result = exported_dump_make(&maker, "csv", settings);
    ck_assert_int_eq(result.error, 0);
    ck_assert_str_eq(result.bytes, expected);
    exported_dump_free(&result);
}

START_TEST(a_line_of_code_is_a_row_for_each_domain) {
    struct export_input settings;
    export_input_prepare(&settings);
    hold("x.py", 1, 0);
    hold("x.py", 2, 0);
    hold("x.py", 1, 1);
    ck_export("domain,size,count,filename,lineno,function\n"
              "0,60,6,\"x.py\",7,\"f\"\n"
              "1,30,3,\"x.py\",7,\"f\"\n",
              &settings);
}
END_TEST

START_TEST(quotes_and_newlines_are_quoted) {
    struct export_input settings;
    export_input_prepare(&settings);
    hold("a \"b\",\nc\xff.py", 1, 0);
    ck_export("domain,size,count,filename,lineno,function\n"
              "0,30,3,\"a \"\"b\"\",\nc\\udcff.py\",7,\"f\"\n",
              &settings);
}
END_TEST

START_TEST(no_cell_is_a_formula) {
    struct export_input settings;
    export_input_prepare(&settings);
    hold("=x", 1, 0);
    hold("+x", 1, 1);
    hold("-x", 1, 2);
    hold("@x=", 1, 0);
    hold("\tx", 1, 0);
    ck_export("domain,size,count,filename,lineno,function\n"
              "0,30,3,\"'=x\",7,\"f\"\n"
              "1,30,3,\"'+x\",7,\"f\"\n"
              "2,30,3,\"'-x\",7,\"f\"\n"
              "0,30,3,\"'@x=\",7,\"f\"\n"
              "0,30,3,\"'\tx\",7,\"f\"\n",
              &settings);
}
END_TEST

START_TEST(processes_are_a_column) {
    struct export_input settings;
    export_input_prepare(&settings);
    settings.by_process = true;
    settings.limit = 0;
    maker.header.pid = 77;
    hold("x.py", 1, 2);
    ck_export("domain,size,count,filename,lineno,function,pid\n"
              "2,30,3,\"<other>\",0,\"\",77\n",
              &settings);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("csv");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_line_of_code_is_a_row_for_each_domain);
    tcase_add_test(tests, quotes_and_newlines_are_quoted);
    tcase_add_test(tests, no_cell_is_a_formula);
    tcase_add_test(tests, processes_are_a_column);
    return check_run("csv", tests);
}
