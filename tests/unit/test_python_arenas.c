/* SPDX-License-Identifier: MIT */
#include "trace/python_arenas.h"

#include <string.h>

#include "live_blocks.h"
#include "suite.h"

enum { PAGE = 4096, PAGES = 200 };

static const uintptr_t base = 0x7f1230000000;

static void add(uintptr_t page, size_t pages) {
    python_arenas_add(alone, base + page * PAGE, pages * PAGE);
}

static void drop(uintptr_t page, size_t pages) {
    python_arenas_remove(alone, base + page * PAGE, pages * PAGE);
}

static void expect_pages(uint64_t pages) {
    ck_assert_uint_eq(python_arenas_bytes(), pages * PAGE);
}

START_TEST(an_arena_counts_until_it_is_unmapped) {
    python_arenas_clear();
    add(0, 10);
    add(20, 10);
    expect_pages(20);
    drop(0, 10);
    expect_pages(10);
    drop(0, 10);
    expect_pages(10);
    python_arenas_clear();
    expect_pages(0);
}
END_TEST

START_TEST(neighbours_are_returned_apart) {
    python_arenas_clear();
    add(10, 10);
    add(0, 10);
    add(30, 10);
    add(20, 10);
    expect_pages(40);
    drop(10, 10);
    expect_pages(30);
    drop(0, 10);
    drop(20, 20);
    expect_pages(0);
}
END_TEST

START_TEST(a_part_may_be_returned) {
    python_arenas_clear();
    add(0, 30);
    drop(10, 10);
    expect_pages(20);
    drop(5, 20);
    expect_pages(10);
    drop(0, PAGES);
    expect_pages(0);
}
END_TEST

START_TEST(what_is_not_known_is_not_counted) {
    python_arenas_clear();
    add(10, 10);
    add(15, 10);
    expect_pages(15);
    drop(40, 10);
    drop(0, 10);
    drop(25, 1);
    expect_pages(15);
}
END_TEST

START_TEST(random_calls_agree_with_the_pages) {
    static bool model[PAGES];
    uint64_t seed = 17;
    python_arenas_clear();
    memset(model, 0, sizeof model);
    for (int round = 0; round < 20000; round++) {
        uint32_t pages = 1 + random_below(&seed, 40), expected = 0;
        uint32_t first = random_below(&seed, PAGES - pages + 1);
        bool is_arena = random_below(&seed, 2) == 0;
        if (is_arena)
            add(first, pages);
        else
            drop(first, pages);
        memset(model + first, is_arena, pages);
        for (uint32_t i = 0; i < PAGES; i++)
            expected += model[i];
        expect_pages(expected);
    }
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        an_arena_counts_until_it_is_unmapped,
        neighbours_are_returned_apart,
        a_part_may_be_returned,
        what_is_not_known_is_not_counted,
        random_calls_agree_with_the_pages,
    };
    return suite_run("python_arenas", tests, sizeof tests / sizeof *tests);
}
