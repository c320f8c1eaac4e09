/* SPDX-License-Identifier: MIT */
#include "base/arena.h"
#include "base/machine.h"
#include "base/resident.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "suite.h"

enum { PAGES = 1500 };

START_TEST(memory_is_zeroed_and_counted) {
    uint64_t before = arena_bytes();
    char *memory = arena_map(5000);
    ck_assert_ptr_nonnull(memory);
    for (size_t at = 0; at < 8192; at++)
        ck_assert_int_eq(memory[at], 0);
    ck_assert_uint_eq(arena_bytes(), before + 8192);
    arena_unmap(memory, 5000);
    ck_assert_uint_eq(arena_bytes(), before);
}
END_TEST

START_TEST(growth_keeps_the_contents) {
    uint64_t before = arena_bytes();
    char *memory = arena_map(MACHINE_PAGE);
    memset(memory, 'a', MACHINE_PAGE);
    memory = arena_grow(memory, MACHINE_PAGE, 100 * MACHINE_PAGE);
    ck_assert_ptr_nonnull(memory);
    ck_assert_int_eq(memory[MACHINE_PAGE - 1], 'a');
    ck_assert_int_eq(memory[100 * MACHINE_PAGE - 1], 0);
    ck_assert_uint_eq(arena_bytes(), before + 100 * MACHINE_PAGE);
}
END_TEST

START_TEST(without_memory_there_is_no_memory) {
    const size_t much = (size_t)1 << 50;
    uint64_t before = arena_bytes();
    errno = EXDEV;
    ck_assert_ptr_null(arena_map(much));
    ck_assert_ptr_null(arena_reserve(much));
    char *memory = arena_map(MACHINE_PAGE);
    memory[0] = 'a';
    ck_assert_ptr_null(arena_grow(memory, MACHINE_PAGE, much));
    ck_assert_int_eq(memory[0], 'a');
    ck_assert_int_eq(errno, EXDEV);
    ck_assert_uint_eq(arena_bytes(), before + MACHINE_PAGE);
}
END_TEST

START_TEST(only_touched_pages_are_resident) {
    static const size_t touched[] = {0, 1, 511, 512, 1023, PAGES - 1};
    uint64_t before = arena_bytes();
    char *memory = arena_reserve(PAGES * MACHINE_PAGE);
    ck_assert_ptr_nonnull(memory);
    ck_assert_uint_eq(arena_bytes(), before);
    struct resident resident;
    resident_open(&resident);
    uintptr_t start = (uintptr_t)memory;
    ck_assert_uint_eq(resident_bytes(&resident, start, PAGES * MACHINE_PAGE), 0);
    for (size_t at = 0; at < sizeof touched / sizeof *touched; at++)
        memory[touched[at] * MACHINE_PAGE] = 'x';
    ck_assert_uint_eq(resident_bytes(&resident, start, PAGES * MACHINE_PAGE),
                      6 * MACHINE_PAGE);
    resident_close(&resident);
}
END_TEST

START_TEST(locked_memory_is_cleared) {
    for (int locked = 0; locked < 2; locked++) {
        char *memory = arena_map(2 * MACHINE_PAGE);
        memset(memory, 'x', 2 * MACHINE_PAGE);
        if (locked)
            ck_assert_int_eq(mlock(memory, 2 * MACHINE_PAGE), 0);
        arena_clear(memory, 2 * MACHINE_PAGE);
        for (size_t i = 0; i < 2 * MACHINE_PAGE; i++)
            ck_assert_int_eq(memory[i], 0);
    }
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        memory_is_zeroed_and_counted, growth_keeps_the_contents,
        without_memory_there_is_no_memory, only_touched_pages_are_resident,
        locked_memory_is_cleared};
    return suite_run("arena", tests, sizeof tests / sizeof *tests);
}
