/* SPDX-License-Identifier: MIT */
#include "check_run.h"
#include "collection/id_map.h"

START_TEST(ids_are_dense_and_stay) {
    struct id_map map = {0};
    for (uint64_t round = 0; round < 2; round++)
        for (uint64_t i = 0; i < 10000; i++)
            ck_assert_int_eq(id_map_add(&map, (struct id_pair){i * 4096, i % 7}),
                             (int64_t)i);
    ck_assert_uint_eq(map.count, 10000);
    id_map_clear(&map);
}
END_TEST

START_TEST(both_numbers_count) {
    struct id_map map = {0};
    ck_assert_int_eq(id_map_find(&map, (struct id_pair){1, 2}), -1);
    ck_assert_int_eq(id_map_add(&map, (struct id_pair){1, 2}), 0);
    ck_assert_int_eq(id_map_add(&map, (struct id_pair){2, 1}), 1);
    ck_assert_int_eq(id_map_add(&map, (struct id_pair){0, 0}), 2);
    ck_assert_int_eq(id_map_find(&map, (struct id_pair){2, 1}), 1);
    ck_assert_int_eq(id_map_find(&map, (struct id_pair){2, 2}), -1);
    id_map_clear(&map);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("id_map");
    tcase_add_test(tests, ids_are_dense_and_stay);
    tcase_add_test(tests, both_numbers_count);
    return check_run("id_map", tests);
}
