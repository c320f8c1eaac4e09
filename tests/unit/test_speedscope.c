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
    dump_maker_bucket(&maker, dump_maker_site(&maker, stack, 0), 10, 3, 0);
    dump_maker_bucket(&maker, dump_maker_site(&maker, 0, 1), 7, 1, 0);
}

static void tear_down(void) {
    dump_maker_close(&maker);
}

static void ck_part(bool by_process, const char *part) {
    struct export_input settings;
    export_input_prepare(&settings);
    settings.by_process = by_process;
    struct exported_dump result = exported_dump_make(&maker, "speedscope", &settings);
    ck_assert_int_eq(result.error, 0);
    ck_assert_msg(strstr(result.bytes, part) != NULL, "%s", result.bytes);
    exported_dump_free(&result);
}

START_TEST(frames_are_shared) {
    ck_part(false, "\"shared\":{\"frames\":["
                   "{\"name\":\"f\",\"file\":\"x.py\",\"line\":2},"
                   "{\"name\":\"f\",\"file\":\"x.py\",\"line\":1},"
                   "{\"name\":\"<unknown>\",\"file\":\"<unknown>\"}]}");
}
END_TEST

START_TEST(bytes_and_blocks_are_profiles) {
    ck_part(false, "{\"type\":\"sampled\",\"name\":\"bytes\",\"unit\":\"bytes\","
                   "\"startValue\":0,\"endValue\":37,\"samples\":[[1,0],[2]],"
                   "\"weights\":[30,7]}");
    ck_part(false, "{\"type\":\"sampled\",\"name\":\"blocks\",\"unit\":\"none\","
                   "\"startValue\":0,\"endValue\":4,\"samples\":[[1,0],[2]],"
                   "\"weights\":[3,1]}");
}
END_TEST

START_TEST(a_process_is_the_oldest_frame) {
    ck_part(true, "{\"name\":\"process 4242\"}]}");
    ck_part(true, "\"samples\":[[3,1,0],[3,2]],");
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("speedscope");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, frames_are_shared);
    tcase_add_test(tests, bytes_and_blocks_are_profiles);
    tcase_add_test(tests, a_process_is_the_oldest_frame);
    return check_run("speedscope", tests);
}
