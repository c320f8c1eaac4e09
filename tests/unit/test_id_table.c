/* SPDX-License-Identifier: MIT */
#include "base/id_table.h"

#include <string.h>

#include "base/arena.h"
#include "base/hash.h"
#include "suite.h"

static struct id_table table;

/* A hash whose tag, the place to begin, is `home`. */
static uint64_t at_home(uint32_t home) {
    return (uint64_t)home << 32;
}

static bool has(uint64_t hash, uint32_t wanted) {
    struct id_probe probe;
    uint32_t id;
    id_probe_start(&probe, &table, hash);
    while ((id = id_probe_next(&probe)) != 0)
        if (id == wanted)
            return true;
    return false;
}

static void add(uint64_t hash, uint32_t id) {
    ck_assert_int_eq(id_table_add(&table, hash, id), 0);
}

START_TEST(what_was_added_is_found) {
    ck_assert_int_eq(id_table_open(&table, 16), 0);
    ck_assert(!has(at_home(3), 1));
    add(at_home(3), 1);
    add(at_home(3), 2);
    add(at_home(UINT32_MAX), 3);
    ck_assert(has(at_home(3), 1));
    ck_assert(has(at_home(3), 2));
    ck_assert(has(at_home(UINT32_MAX), 3));
    ck_assert(!has(at_home(4), 1));
}
END_TEST

START_TEST(it_grows_and_keeps_all) {
    ck_assert_int_eq(id_table_open(&table, 16), 0);
    for (uint32_t id = 1; id <= 100000; id++)
        add(hash_mix(id), id);
    ck_assert_uint_eq(table.used, 100000);
    for (uint32_t id = 1; id <= 100000; id++)
        ck_assert(has(hash_mix(id), id));
    ck_assert(!has(hash_mix(100001), 100001));
}
END_TEST

START_TEST(it_stays_at_most_two_thirds_full) {
    ck_assert_int_eq(id_table_open(&table, 8), 0);
    for (uint32_t id = 1; id <= 5000; id++) {
        add(hash_mix(id), id);
        ck_assert_uint_le((uint64_t)(table.used - 1) * 3, (uint64_t)table.mask * 2 + 2);
    }
}
END_TEST

START_TEST(removal_at_the_end_of_the_array_moves_what_wrapped) {
    ck_assert_int_eq(id_table_open(&table, 16), 0);
    for (uint32_t id = 1; id <= 4; id++)
        add(at_home(15), id);
    add(at_home(1), 5);
    id_table_remove(&table, at_home(15), 1);
    ck_assert(!has(at_home(15), 1));
    for (uint32_t id = 2; id <= 4; id++)
        ck_assert(has(at_home(15), id));
    ck_assert(has(at_home(1), 5));
}
END_TEST

START_TEST(removing_what_is_not_there_changes_nothing) {
    ck_assert_int_eq(id_table_open(&table, 16), 0);
    add(at_home(3), 1);
    id_table_remove(&table, at_home(3), 2);
    id_table_remove(&table, at_home(9), 2);
    ck_assert_uint_eq(table.used, 1);
    ck_assert(has(at_home(3), 1));
}
END_TEST

/* Few homes, so that clusters are long and wrap; the model is a flag per id. */
START_TEST(random_changes_agree_with_a_model) {
    enum { IDS = 64, HOMES = 24 };
    bool there[IDS + 1] = {false};
    uint64_t seed = 7;
    ck_assert_int_eq(id_table_open(&table, 32), 0);
    for (int round = 0; round < 200000; round++) {
        uint32_t id = 1 + random_below(&seed, IDS);
        uint64_t hash = at_home(id * 7 % HOMES + 4294967284u);
        if (there[id])
            id_table_remove(&table, hash, id);
        else
            add(hash, id);
        there[id] = !there[id];
        uint32_t other = 1 + random_below(&seed, IDS);
        ck_assert_int_eq(has(at_home(other * 7 % HOMES + 4294967284u), other),
                         there[other]);
    }
}
END_TEST

START_TEST(clear_and_close) {
    uint64_t before = arena_bytes();
    ck_assert_int_eq(id_table_open(&table, 1024), 0);
    add(at_home(3), 1);
    id_table_clear(&table);
    ck_assert_uint_eq(table.used, 0);
    ck_assert(!has(at_home(3), 1));
    add(at_home(3), 2);
    ck_assert(has(at_home(3), 2));
    id_table_close(&table);
    id_table_close(&table);
    ck_assert_uint_eq(arena_bytes(), before);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        what_was_added_is_found,
        it_grows_and_keeps_all,
        it_stays_at_most_two_thirds_full,
        removal_at_the_end_of_the_array_moves_what_wrapped,
        removing_what_is_not_there_changes_nothing,
        random_changes_agree_with_a_model,
        clear_and_close,
    };
    return suite_run("id_table", tests, sizeof tests / sizeof *tests);
}
