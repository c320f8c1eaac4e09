/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "check_run.h"
#include "dump/frame_names.h"

START_TEST(fixed_names_come_first) {
    struct frame_names names;
    ck_assert_int_eq(frame_names_open(&names), 0);
    ck_assert_str_eq(names.texts[FRAME_NAMES_UNKNOWN].bytes, "<unknown>");
    ck_assert_int_eq(frame_names_add(&names, (struct dump_text){"<overflow>", 10}),
                     FRAME_NAMES_OVERFLOW);
    frame_names_close(&names);
}
END_TEST

START_TEST(equal_texts_are_one_name) {
    enum { COUNT = 3000 };
    static char texts[2][COUNT][16];
    struct frame_names names;
    ck_assert_int_eq(frame_names_open(&names), 0);
    for (int copy = 0; copy < 2; copy++)
        for (int i = 0; i < COUNT; i++) {
            snprintf(texts[copy][i], sizeof texts[copy][i], "file%d.py", i);
            struct dump_text text = {texts[copy][i], strlen(texts[copy][i])};
            ck_assert_int_eq(frame_names_add(&names, text), i + 2);
        }
    ck_assert_int_eq(frame_names_add(&names, (struct dump_text){"a\0b", 3}), COUNT + 2);
    ck_assert_int_eq(frame_names_add(&names, (struct dump_text){"a\0c", 3}), COUNT + 3);
    frame_names_close(&names);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("frame_names");
    tcase_add_test(tests, fixed_names_come_first);
    tcase_add_test(tests, equal_texts_are_one_name);
    return check_run("frame_names", tests);
}
