/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "check_run.h"
#include "output/unicode.h"

static uint32_t first_of(const char *bytes, size_t length, size_t *taken) {
    const char *at = bytes;
    uint32_t point = unicode_next(&at, bytes + length);
    *taken = (size_t)(at - bytes);
    return point;
}

START_TEST(every_code_point_comes_back) {
    for (uint32_t point = 0; point <= 0x10ffff; point += 1 + point / 0x3000) {
        char bytes[UNICODE_MAX_BYTES];
        size_t length = unicode_put(bytes, point), taken;
        ck_assert_uint_eq(first_of(bytes, length, &taken), point);
        ck_assert_uint_eq(taken, length);
    }
}
END_TEST

START_TEST(what_is_no_text_is_a_surrogate_for_each_byte) {
    static const char *const wrong[] = {
        "\x80",         "\xc0\x80", "\xe2\x82", "\xf5\x80\x80\x80", "\xf4\x90\x80\x80",
        "\xe0\x80\x80", "\xff"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        size_t taken;
        uint32_t point = first_of(wrong[i], strlen(wrong[i]), &taken);
        ck_assert_uint_eq(point, 0xdc00u + (unsigned char)wrong[i][0]);
        ck_assert_uint_eq(taken, 1);
    }
}
END_TEST

START_TEST(validity_is_that_of_utf_8) {
    ck_assert(unicode_is_valid("caf\xc3\xa9 \xf0\x9f\x90\x8d", 10));
    ck_assert(unicode_is_valid("", 0));
    ck_assert(!unicode_is_valid("\xed\xb3\xbf", 3));
    ck_assert(!unicode_is_valid("a\xff", 2));
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("unicode");
    tcase_add_test(tests, every_code_point_comes_back);
    tcase_add_test(tests, what_is_no_text_is_a_surrogate_for_each_byte);
    tcase_add_test(tests, validity_is_that_of_utf_8);
    return check_run("unicode", tests);
}
