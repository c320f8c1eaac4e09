/* SPDX-License-Identifier: MIT */
#include "trace/free_strings.h"

#include "base/arena.h"
#include "suite.h"

START_TEST(there_are_none_at_first) {
    for (uint64_t size = 8; size < 10000; size += 4)
        ck_assert_uint_eq(free_strings_take(size), 0);
}
END_TEST

START_TEST(a_place_is_given_out_once_for_its_size) {
    ck_assert_int_eq(free_strings_open(3), 0);
    free_strings_add(100, 12);
    free_strings_add(200, 16);
    free_strings_add(300, 12);
    ck_assert_uint_eq(free_strings_take(8), 0);
    ck_assert_uint_eq(free_strings_take(16), 200);
    ck_assert_uint_eq(free_strings_take(16), 0);
    ck_assert_uint_eq(free_strings_take(12) + free_strings_take(12), 400);
    ck_assert_uint_eq(free_strings_take(12), 0);
}
END_TEST

START_TEST(what_is_too_many_or_too_long_is_left_out) {
    ck_assert_int_eq(free_strings_open(2), 0);
    free_strings_add(100, FREE_STRINGS_MAX_BYTES + 4);
    free_strings_add(200, FREE_STRINGS_MAX_BYTES);
    free_strings_add(300, 12);
    free_strings_add(400, 12);
    ck_assert_uint_eq(free_strings_take(FREE_STRINGS_MAX_BYTES + 4), 0);
    ck_assert_uint_eq(free_strings_take(FREE_STRINGS_MAX_BYTES), 200);
    ck_assert_uint_eq(free_strings_take(12), 300);
    ck_assert_uint_eq(free_strings_take(12), 0);
}
END_TEST

START_TEST(each_opening_begins_anew) {
    uint64_t before = arena_bytes();
    for (int round = 0; round < 3; round++) {
        ck_assert_int_eq(free_strings_open(1000), 0);
        ck_assert_uint_eq(free_strings_take(12), 0);
        free_strings_add(100, 12);
    }
    free_strings_close();
    ck_assert_uint_eq(free_strings_take(12), 0);
    ck_assert_uint_eq(arena_bytes(), before);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        there_are_none_at_first,
        a_place_is_given_out_once_for_its_size,
        what_is_too_many_or_too_long_is_left_out,
        each_opening_begins_anew,
    };
    return suite_run("free_strings", tests, sizeof tests / sizeof *tests);
}
