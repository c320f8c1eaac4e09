/* SPDX-License-Identifier: MIT */
#include "base/arena_array.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/machine.h"
#include "suite.h"

/* Not a divisor of a page. */
struct entry {
    uint64_t number;
    uint32_t others[4];
};

static struct entry *entries;
static uint32_t capacity;

static int reserve(uint64_t wanted) {
    return arena_array_reserve(&entries, &capacity, wanted, sizeof *entries);
}

static void release(void) {
    arena_array_release(&entries, &capacity, sizeof *entries);
}

START_TEST(an_empty_array_begins_with_one_page) {
    uint64_t before = arena_bytes();
    ck_assert_int_eq(reserve(1), 0);
    ck_assert_uint_eq(capacity, machine_page_size() / sizeof *entries);
    ck_assert_uint_eq(arena_bytes(), before + machine_page_size());
    release();
    ck_assert_uint_eq(arena_bytes(), before);
}
END_TEST

START_TEST(growth_doubles_keeps_entries_and_clears_new_ones) {
    ck_assert_int_eq(reserve(1), 0);
    uint32_t first = capacity;
    for (uint32_t i = 0; i < first; i++)
        entries[i].number = i + 1;
    ck_assert_int_eq(reserve(first + 1), 0);
    ck_assert_uint_eq(capacity, 2 * first);
    ck_assert_int_eq(reserve(9 * first), 0);
    ck_assert_uint_eq(capacity, 16 * first);
    for (uint32_t i = 0; i < capacity; i++)
        ck_assert_uint_eq(entries[i].number, i < first ? i + 1 : 0);
    release();
}
END_TEST

START_TEST(what_fits_changes_nothing) {
    ck_assert_int_eq(reserve(100), 0);
    struct entry *before = entries;
    uint32_t had = capacity;
    ck_assert_int_eq(reserve(0), 0);
    ck_assert_int_eq(reserve(had), 0);
    ck_assert_ptr_eq(entries, before);
    ck_assert_uint_eq(capacity, had);
    release();
}
END_TEST

START_TEST(entries_of_more_than_a_page_fit) {
    struct large {
        char bytes[MACHINE_MAX_PAGE + 1];
    } *large = NULL;
    uint32_t count = 0;
    ck_assert_int_eq(arena_array_reserve(&large, &count, 3, sizeof *large), 0);
    ck_assert_uint_eq(count, 4);
    memset(large, 'x', count * sizeof *large);
    arena_array_release(&large, &count, sizeof *large);
}
END_TEST

START_TEST(without_memory_all_is_unchanged) {
    const uint64_t much = UINT32_MAX / 2;
    const size_t huge = (size_t)1 << 20;
    char *array = NULL;
    uint32_t count = 0;
    uint64_t before = arena_bytes();
    errno = EXDEV;
    ck_assert_int_eq(arena_array_reserve(&array, &count, much, huge), -ENOMEM);
    ck_assert_ptr_null(array);
    ck_assert_uint_eq(count, 0);
    ck_assert_int_eq(reserve(1), 0);
    entries[0].number = 7;
    uint32_t had = capacity;
    ck_assert_int_eq(reserve((uint64_t)UINT32_MAX + 1), -ENOMEM);
    ck_assert_int_eq(reserve(UINT64_MAX), -ENOMEM);
    ck_assert_uint_eq(capacity, had);
    ck_assert_uint_eq(entries[0].number, 7);
    ck_assert_int_eq(errno, EXDEV);
    release();
    ck_assert_uint_eq(arena_bytes(), before);
}
END_TEST

START_TEST(a_released_array_is_empty) {
    ck_assert_int_eq(reserve(1), 0);
    release();
    ck_assert_ptr_null(entries);
    ck_assert_uint_eq(capacity, 0);
    release();
    ck_assert_int_eq(reserve(1), 0);
    release();
}
END_TEST

int main(void) {
    const TTest *const tests[] = {an_empty_array_begins_with_one_page,
                                  growth_doubles_keeps_entries_and_clears_new_ones,
                                  what_fits_changes_nothing,
                                  entries_of_more_than_a_page_fit,
                                  without_memory_all_is_unchanged,
                                  a_released_array_is_empty};
    return suite_run("arena_array", tests, sizeof tests / sizeof *tests);
}
