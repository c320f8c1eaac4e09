/* SPDX-License-Identifier: MIT */
#include "stack/python/python_cache.h"

#include "base/arena.h"
#include "suite.h"
#include "tracemalloc_dump.h"

static void expect_node(uint32_t parent, uint64_t ip, uint32_t wanted) {
    uint32_t node = 0;
    ck_assert(python_cache_find(parent, ip, &node));
    ck_assert_uint_eq(node, wanted);
}

static bool has(uint32_t parent, uint64_t ip) {
    uint32_t node;
    return python_cache_find(parent, ip, &node);
}

static void open_memo(void) {
    ck_assert_int_eq(python_cache_open(), 0);
}

START_TEST(what_was_learned_is_found) {
    open_memo();
    ck_assert(!has(3, 0x1000));
    python_cache_add(3, 0x1000, 7, 0);
    python_cache_add(4, 0x1000, 8, 0);
    python_cache_add(3, 0x1002, 3, 0);
    expect_node(3, 0x1000, 7);
    expect_node(4, 0x1000, 8);
    expect_node(3, 0x1002, 3);
}
END_TEST

START_TEST(code_objects_are_known_by_address) {
    open_memo();
    ck_assert_uint_eq(python_cache_code(0x7f00), 0);
    uint32_t code = python_cache_add_code(0x7f00, 11);
    ck_assert_uint_ne(code, 0);
    ck_assert_uint_eq(python_cache_code(0x7f00), code);
    ck_assert_uint_eq(python_cache_code_id(code), 11);
    ck_assert_uint_eq(python_cache_code(0x7f08), 0);
}
END_TEST

START_TEST(a_death_forgets_what_belongs_to_it) {
    open_memo();
    uint32_t dead = python_cache_add_code(0x7f00, 11);
    uint32_t other = python_cache_add_code(0x8f00, 12), epoch = epoch_now;
    for (uint32_t at = 0; at < 100; at++) {
        python_cache_add(at, 0x7f40, 1000 + at, dead);
        python_cache_add(at, 0x8f40, 2000 + at, other);
    }
    python_cache_forget(0x7f00);
    ck_assert_uint_gt(epoch_now, epoch);
    ck_assert_uint_eq(python_cache_code(0x7f00), 0);
    for (uint32_t at = 0; at < 100; at++) {
        ck_assert(!has(at, 0x7f40));
        expect_node(at, 0x8f40, 2000 + at);
    }
}
END_TEST

START_TEST(an_unknown_death_changes_nothing) {
    open_memo();
    uint32_t epoch = epoch_now;
    python_cache_forget(0x7f00);
    ck_assert_uint_eq(epoch_now, epoch);
}
END_TEST

START_TEST(a_new_memo_is_empty_and_a_new_epoch) {
    uint64_t before = arena_bytes();
    open_memo();
    uint32_t epoch = epoch_now;
    python_cache_add(3, 0x1000, 7, python_cache_add_code(0x7f00, 11));
    python_cache_close();
    ck_assert_uint_eq(arena_bytes(), before);
    open_memo();
    ck_assert_uint_gt(epoch_now, epoch);
    ck_assert(!has(3, 0x1000));
    ck_assert_uint_eq(python_cache_code(0x7f00), 0);
}
END_TEST

START_TEST(memory_of_the_dead_is_used_again) {
    open_memo();
    uint64_t before = 0;
    for (uint32_t round = 0; round < 500; round++) {
        uint32_t code = python_cache_add_code(0x7f00 + round % 7 * 8, round + 1);
        for (uint32_t at = 0; at < 200; at++)
            python_cache_add(round, 0x7f40 + at, at, code);
        python_cache_forget(0x7f00 + round % 7 * 8);
        if (round == 10)
            before = arena_bytes();
    }
    ck_assert_uint_eq(arena_bytes(), before);
}
END_TEST

START_TEST(known_code_is_told) {
    struct id_set codes;
    open_memo();
    ck_assert_int_eq(id_set_open(&codes, 100), 0);
    for (uint32_t id = 1; id < 60; id++)
        ck_assert_uint_ne(python_cache_add_code(0x7f00 + 64 * id, id), 0);
    for (uint32_t id = 1; id < 60; id += 3)
        python_cache_forget(0x7f00 + 64 * id);
    id_set_fill(&codes, 0);
    python_cache_mark_live_codes(&codes);
    for (uint32_t id = 0; id < 100; id++)
        ck_assert_int_eq(id_set_has(&codes, id), id % 3 == 1 || id == 0 || id >= 60);
}
END_TEST

START_TEST(nodes_that_go_are_forgotten) {
    struct id_set nodes;
    open_memo();
    uint32_t code = python_cache_add_code(0x7f00, 11);
    ck_assert_int_eq(id_set_open(&nodes, 500), 0);
    id_set_add(&nodes, 150);
    id_set_add(&nodes, 307);
    for (uint32_t at = 0; at < 200; at++)
        python_cache_add(10 + at / 20, 0x1000 + at, 200 + at, code);
    python_cache_add(150, 0x2000, 151, code);
    python_cache_add(3, 0x2000, TRACEMALLOC_DUMP_OVERFLOW_STACK, code);
    python_cache_forget_nodes(&nodes);
    ck_assert(!has(150, 0x2000) && !has(3, 0x2000));
    for (uint32_t at = 0; at < 200; at++)
        if (at == 107)
            ck_assert(!has(10 + at / 20, 0x1000 + at));
        else
            expect_node(10 + at / 20, 0x1000 + at, 200 + at);
    python_cache_forget(0x7f00);
    for (uint32_t at = 0; at < 200; at++)
        ck_assert(!has(10 + at / 20, 0x1000 + at));
}
END_TEST

/* The model: an id for each address, and for each entry the code's life it was learned
 * in. */
START_TEST(random_lives_agree_with_a_model) {
    enum { CODES = 40, PARENTS = 30, IPS = 8 };
    static uint32_t id[CODES], learned[CODES][PARENTS][IPS];
    uint64_t seed = 23;
    uint32_t serial = 0;
    open_memo();
    for (int round = 0; round < 200000; round++) {
        uint32_t code = random_below(&seed, CODES),
                 parent = random_below(&seed, PARENTS);
        uint32_t ip = random_below(&seed, IPS);
        uintptr_t address = 0x7f0000 + code * 64;
        if (random_below(&seed, 50) == 0) {
            python_cache_forget(address);
            id[code] = 0;
            continue;
        }
        if (id[code] == 0)
            ck_assert_uint_ne(python_cache_add_code(address, id[code] = ++serial), 0);
        uint32_t index = python_cache_code(address), node;
        ck_assert_uint_eq(python_cache_code_id(index), id[code]);
        uint32_t wanted = id[code] * 1000 + parent * IPS + ip;
        bool known = learned[code][parent][ip] == wanted;
        ck_assert_int_eq(python_cache_find(parent, address + ip, &node), known);
        if (known)
            ck_assert_uint_eq(node, wanted);
        else
            python_cache_add(parent, address + ip, wanted, index);
        learned[code][parent][ip] = wanted;
    }
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        what_was_learned_is_found,
        code_objects_are_known_by_address,
        a_death_forgets_what_belongs_to_it,
        an_unknown_death_changes_nothing,
        a_new_memo_is_empty_and_a_new_epoch,
        memory_of_the_dead_is_used_again,
        known_code_is_told,
        nodes_that_go_are_forgotten,
        random_lives_agree_with_a_model,
    };
    return suite_run("python_cache", tests, sizeof tests / sizeof *tests);
}
