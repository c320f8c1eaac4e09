/* SPDX-License-Identifier: MIT */
#include "stack/native/native_cache.h"

#include "base/arena.h"
#include "suite.h"

START_TEST(what_was_learned_is_found) {
    native_cache_open();
    ck_assert_uint_eq(native_cache_find(0, 7), 0);
    native_cache_add(0, 7, 2);
    native_cache_add(0, 8, 3);
    native_cache_add(2, 7, 4);
    ck_assert_uint_eq(native_cache_find(0, 7), 2);
    ck_assert_uint_eq(native_cache_find(0, 8), 3);
    ck_assert_uint_eq(native_cache_find(2, 7), 4);
    ck_assert_uint_eq(native_cache_find(3, 7), 0);
    ck_assert_uint_eq(native_cache_find(1000000, 7), 0);
}
END_TEST

START_TEST(a_node_is_learned_once) {
    native_cache_open();
    native_cache_add(0, 7, 2);
    native_cache_add(0, 9, 2);
    ck_assert_uint_eq(native_cache_find(0, 9), 0);
    ck_assert_uint_eq(native_cache_find(0, 7), 2);
}
END_TEST

/* Node 1 stands for all stacks that found no room, also below later ones. */
START_TEST(the_overflow_is_not_learned) {
    native_cache_open();
    native_cache_add(5, 7, 1);
    ck_assert_uint_eq(native_cache_find(5, 7), 0);
}
END_TEST

START_TEST(a_search_ends_after_some_siblings) {
    enum { MANY = 3 * NATIVE_CACHE_SIBLINGS };
    native_cache_open();
    for (uint32_t at = 0; at < MANY; at++)
        native_cache_add(0, 100 + at, 2 + at);
    ck_assert_uint_eq(native_cache_find(0, 100 + MANY - 1), 2 + MANY - 1);
    ck_assert_uint_eq(native_cache_find(0, 100), 0);
}
END_TEST

START_TEST(it_grows_and_gives_all_back) {
    uint64_t before = arena_bytes();
    native_cache_open();
    for (uint32_t node = 2; node < 100000; node++)
        native_cache_add(node - 1, node, node);
    for (uint32_t node = 2; node < 100000; node++)
        ck_assert_uint_eq(native_cache_find(node - 1, node), node);
    native_cache_close();
    ck_assert_uint_eq(arena_bytes(), before);
    ck_assert_uint_eq(native_cache_find(1, 2), 0);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        what_was_learned_is_found,   a_node_is_learned_once,
        the_overflow_is_not_learned, a_search_ends_after_some_siblings,
        it_grows_and_gives_all_back,
    };
    return suite_run("native_cache", tests, sizeof tests / sizeof *tests);
}
