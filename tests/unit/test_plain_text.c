/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "check_run.h"
#include "export/plain_text.h"

static void ck_copy(const char *bytes, size_t length, const char *expected) {
    char *copy = plain_text_copy((struct dump_text){bytes, length});
    ck_assert_str_eq(copy, expected);
    free(copy);
}

START_TEST(utf8_stays) {
    ck_copy("", 0, "");
    ck_copy("a\xc3\xa9\xf0\x9f\x90\x8d\n", 8, "a\xc3\xa9\xf0\x9f\x90\x8d\n");
}
END_TEST

START_TEST(what_is_none_is_spelt_out) {
    ck_copy("a\0b", 3, "a\\u0000b");
    ck_copy("\xff\xed\xa0\x80", 4, "\\udcff\\ud800");
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("plain_text");
    tcase_add_test(tests, utf8_stays);
    tcase_add_test(tests, what_is_none_is_spelt_out);
    return check_run("plain_text", tests);
}
