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
    char *memory = arena_map(machine_page_size());
    memset(memory, 'a', machine_page_size());
    memory = arena_grow(memory, machine_page_size(), 100 * machine_page_size());
    ck_assert_ptr_nonnull(memory);
    ck_assert_int_eq(memory[machine_page_size() - 1], 'a');
    ck_assert_int_eq(memory[100 * machine_page_size() - 1], 0);
    ck_assert_uint_eq(arena_bytes(), before + 100 * machine_page_size());
}
END_TEST

START_TEST(without_memory_there_is_no_memory) {
    const size_t much = (size_t)1 << 50;
    uint64_t before = arena_bytes();
    errno = EXDEV;
    ck_assert_ptr_null(arena_map(much));
    ck_assert_ptr_null(arena_reserve(much));
    char *memory = arena_map(machine_page_size());
    memory[0] = 'a';
    ck_assert_ptr_null(arena_grow(memory, machine_page_size(), much));
    ck_assert_int_eq(memory[0], 'a');
    ck_assert_int_eq(errno, EXDEV);
    ck_assert_uint_eq(arena_bytes(), before + machine_page_size());
}
END_TEST

START_TEST(only_touched_pages_are_resident) {
    static const size_t touched[] = {0, 1, 511, 512, 1023, PAGES - 1};
    uint64_t before = arena_bytes();
    char *memory = arena_reserve(PAGES * machine_page_size());
    ck_assert_ptr_nonnull(memory);
    ck_assert_uint_eq(arena_bytes(), before);
    struct resident resident;
    resident_open(&resident);
    uintptr_t start = (uintptr_t)memory;
    ck_assert_uint_eq(resident_bytes(&resident, start, PAGES * machine_page_size()), 0);
    for (size_t at = 0; at < sizeof touched / sizeof *touched; at++)
        memory[touched[at] * machine_page_size()] = 'x';
    ck_assert_uint_eq(resident_bytes(&resident, start, PAGES * machine_page_size()),
                      6 * machine_page_size());
    resident_close(&resident);
}
END_TEST

START_TEST(locked_memory_is_cleared) {
    for (int locked = 0; locked < 2; locked++) {
        char *memory = arena_map(2 * machine_page_size());
        memset(memory, 'x', 2 * machine_page_size());
        if (locked)
            ck_assert_int_eq(mlock(memory, 2 * machine_page_size()), 0);
        arena_clear(memory, 2 * machine_page_size());
        for (size_t i = 0; i < 2 * machine_page_size(); i++)
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
