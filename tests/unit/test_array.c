/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include "check_run.h"
#include "collection/array.h"

START_TEST(entries_keep_their_place) {
    struct array array = {.entry_size = sizeof(uint32_t)};
    for (uint32_t i = 0; i < 1000; i++)
        ck_assert_int_eq(array_append(&array, &i, 1), i);
    for (uint32_t i = 0; i < 1000; i++)
        ck_assert_uint_eq(((uint32_t *)array.entries)[i], i);
    free(array.entries);
}
END_TEST

START_TEST(several_at_once_and_none) {
    struct array array = {.entry_size = 1};
    ck_assert_int_eq(array_append(&array, "", 0), 0);
    ck_assert_ptr_nonnull(array.entries);
    ck_assert_int_eq(array_append(&array, "abc", 3), 0);
    ck_assert_int_eq(array_append(&array, "de", 2), 3);
    ck_assert_mem_eq(array.entries, "abcde", 5);
    free(array.entries);
}
END_TEST

START_TEST(arrays_of_their_own_type) {
    uint64_t *numbers = NULL;
    size_t room = 0;
    for (uint64_t i = 0; i < 1000; i++) {
        ck_assert_int_eq(array_reserve(&numbers, &room, i + 1, sizeof *numbers), 0);
        ck_assert_uint_gt(room, i);
        numbers[i] = i;
    }
    for (uint64_t i = 0; i < 1000; i++)
        ck_assert_uint_eq(numbers[i], i);
    uint64_t *before = numbers;
    size_t room_before = room;
    ck_assert_int_eq(array_reserve(&numbers, &room, SIZE_MAX / 2, sizeof *numbers),
                     -ENOMEM);
    ck_assert_ptr_eq(numbers, before);
    ck_assert_uint_eq(room, room_before);
    free(numbers);
}
END_TEST

START_TEST(counts_the_entries_up_to_a_key) {
    struct entry {
        uint64_t key;
        uint32_t value;
    };
    struct array array = {.entry_size = sizeof(struct entry)};
    ck_assert_uint_eq(array_count_up_to(&array, 7), 0);
    static const struct entry entries[] = {{3, 0}, {5, 1}, {5, 2}, {9, 3}};
    ck_assert_int_eq(array_append(&array, entries, 4), 0);
    ck_assert_uint_eq(array_count_up_to(&array, 2), 0);
    ck_assert_uint_eq(array_count_up_to(&array, 3), 1);
    ck_assert_uint_eq(array_count_up_to(&array, 4), 1);
    ck_assert_uint_eq(array_count_up_to(&array, 5), 3);
    ck_assert_uint_eq(array_count_up_to(&array, UINT64_MAX), 4);
    free(array.entries);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("array");
    tcase_add_test(tests, entries_keep_their_place);
    tcase_add_test(tests, several_at_once_and_none);
    tcase_add_test(tests, arrays_of_their_own_type);
    tcase_add_test(tests, counts_the_entries_up_to_a_key);
    return check_run("array", tests);
}
