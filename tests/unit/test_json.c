/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "check_run.h"
#include "exported_dump.h"

static struct dump_maker maker;

static void set_up(void) {
    dump_maker_open(&maker);
    maker.header.pid = 4242;
    uint32_t code = dump_maker_code(&maker, "x.py", "f");
    uint32_t stack = dump_maker_stack(&maker, 0, code, 1);
    stack = dump_maker_stack(&maker, stack, code, 2);
    uint32_t site = dump_maker_site(&maker, stack, 1);
    dump_maker_bucket(&maker, site, 10, 3, 0);
    dump_maker_bucket(&maker, site, 20, 1, 0);
}

static void tear_down(void) {
    dump_maker_close(&maker);
}

static void ck_part(const struct export_input *settings, const char *part) {
    struct exported_dump result = exported_dump_make(&maker, "json", settings);
    ck_assert_int_eq(result.error, 0);
    ck_assert_msg(strstr(result.bytes, part) != NULL, "%s", result.bytes);
    exported_dump_free(&result);
}

START_TEST(a_trace_is_summed_over_its_blocks) {
    struct export_input settings;
    export_input_prepare(&settings);
    ck_part(&settings, "{\"version\":1,\"pid\":4242,\"pids\":[4242],\"at\":\"now\",");
    ck_part(&settings, "\"total\":{\"size\":50,\"count\":4},");
    ck_part(&settings, "\"traces\":[{\"domain\":1,\"size\":50,\"count\":4,");
}
END_TEST

START_TEST(a_stack_is_frame_numbers_the_oldest_first) {
    struct export_input settings;
    export_input_prepare(&settings);
    ck_part(&settings,
            "\"frames\":[{\"filename\":\"x.py\",\"lineno\":2,\"function\":\"f\"},"
            "{\"filename\":\"x.py\",\"lineno\":1,\"function\":\"f\"}],");
    ck_part(&settings, "\"stack\":[1,0]}]}\n");
}
END_TEST

START_TEST(the_rest_has_no_function) {
    struct export_input settings;
    export_input_prepare(&settings);
    settings.limit = 0;
    ck_part(&settings, "{\"filename\":\"<other>\",\"lineno\":0,\"function\":null}]");
    ck_part(&settings, "\"count\":4,\"stack\":[2]}]}\n");
}
END_TEST

START_TEST(processes_that_are_told_apart_are_named) {
    struct export_input settings;
    export_input_prepare(&settings);
    settings.by_process = true;
    ck_part(&settings, "\"traces\":[{\"domain\":1,\"pid\":4242,\"size\":50,");
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("json");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_trace_is_summed_over_its_blocks);
    tcase_add_test(tests, a_stack_is_frame_numbers_the_oldest_first);
    tcase_add_test(tests, the_rest_has_no_function);
    tcase_add_test(tests, processes_that_are_told_apart_are_named);
    return check_run("json", tests);
}
