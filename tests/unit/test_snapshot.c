/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check_run.h"
#include "exported_dump.h"

static struct dump_maker maker;
static struct exported_dump result;

static void set_up(void) {
    dump_maker_open(&maker);
}

static void tear_down(void) {
    dump_maker_close(&maker);
    exported_dump_free(&result);
}

static int export(uint32_t python_version) {
    struct export_input settings;
    export_input_prepare(&settings);
    settings.python_version = python_version;
    exported_dump_free(&result);
    result = exported_dump_make(&maker, "snapshot", &settings);
    return result.error;
}

static bool holds(const char *part, size_t length) {
    return memmem(result.bytes, result.size, part, length) != NULL;
}

START_TEST(a_block_has_its_frames_once) {
    uint32_t code = dump_maker_code(&maker, "x.py", "f");
    uint32_t stack =
        dump_maker_stack(&maker, dump_maker_stack(&maker, 0, code, 1), code, 2);
    dump_maker_bucket(&maker, dump_maker_site(&maker, stack, 0), 77, 2, 0);
    ck_assert_int_eq(export(0), 0);
    /* (0, 77, (("x.py", 2), ("x.py", 1)), 2) and the same again. */
    static const char trace[] =
        "(K\0K\x4d(\x8c\x04x.py\x94K\x02\x86\x94h\0K\x01\x86\x94t\x94K\x02t"
        "\x94h\x04";
    ck_assert(holds(trace, sizeof trace - 1));
}
END_TEST

START_TEST(older_pythons_know_no_total) {
    dump_maker_bucket(&maker, dump_maker_site(&maker, 0, 1), 5, 1, 0);
    static const char without[] =
        "(K\x01K\x05(\x8c\x09<unknown>\x94K\0\x86\x94t\x94\x87";
    static const char with[] =
        "((K\x01K\x05(\x8c\x09<unknown>\x94K\0\x86\x94t\x94K\x01t";
    ck_assert_int_eq(export(0x03080000), 0);
    ck_assert(holds(without, sizeof without - 1));
    ck_assert_int_eq(export(0x03090000), 0);
    ck_assert(holds(with, sizeof with - 1));
    maker.header.python_version = 0x03070000;
    ck_assert_int_eq(export(0), 0);
    ck_assert(holds(without, sizeof without - 1));
}
END_TEST

START_TEST(too_many_blocks_are_refused) {
    uint32_t site = dump_maker_site(&maker, 0, 0);
    for (int i = 0; i < 100; i++)
        dump_maker_bucket(&maker, site, 1, 1u << 20, 0);
    ck_assert_int_eq(export(0), -EFBIG);
}
END_TEST

START_TEST(too_many_frames_are_refused) {
    uint32_t code = dump_maker_code(&maker, "x.py", "f"), stack = 0;
    maker.header.nframe = 65535;
    for (uint32_t i = 0; i < 40000; i++) {
        stack = dump_maker_stack(&maker, stack, code, 1);
        dump_maker_bucket(&maker, dump_maker_site(&maker, stack, 0), 1, 1, 0);
    }
    ck_assert_int_eq(export(0), -EFBIG);
    ck_assert_uint_eq(result.size, 0);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("snapshot");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_block_has_its_frames_once);
    tcase_add_test(tests, older_pythons_know_no_total);
    tcase_add_test(tests, too_many_blocks_are_refused);
    tcase_add_test(tests, too_many_frames_are_refused);
    return check_run("snapshot", tests);
}
