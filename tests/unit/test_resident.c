/* SPDX-License-Identifier: MIT */
#include "base/resident.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "suite.h"

enum { PAGE = 4096 };

static char *reserve(size_t length) {
    char *memory = mmap(NULL, length, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    ck_assert_ptr_ne(memory, MAP_FAILED);
    return memory;
}

static uint64_t ask(struct resident *resident, const char *memory, size_t length) {
    errno = EXDEV;
    uint64_t bytes = resident_bytes(resident, (uintptr_t)memory, length);
    ck_assert_int_eq(errno, EXDEV);
    return bytes;
}

static void expect_touched(struct resident *resident) {
    static const size_t touched[] = {0, 1, 511, 512, 1023, 5000, 9998, 9999};
    char *memory = reserve(10000 * PAGE);
    ck_assert_uint_eq(ask(resident, memory, 10000 * PAGE), 0);
    for (size_t at = 0; at < sizeof touched / sizeof *touched; at++)
        memory[touched[at] * PAGE] = 'x';
    ck_assert_uint_eq(ask(resident, memory, 10000 * PAGE), 8 * PAGE);
    ck_assert_uint_eq(ask(resident, memory + PAGE, 511 * PAGE), 2 * PAGE);
    ck_assert_uint_eq(ask(resident, memory, 0), 0);
    for (size_t page = 0; page < 10000; page += 2)
        memory[page * PAGE] = 'x';
    ck_assert_uint_eq(ask(resident, memory, 10000 * PAGE), 5004 * PAGE);
    ck_assert_int_eq(munmap(memory, 10000 * PAGE), 0);
    ck_assert_uint_eq(ask(resident, memory, 10000 * PAGE), 0);
}

START_TEST(only_touched_pages_are_resident) {
    struct resident resident;
    resident_open(&resident);
    expect_touched(&resident);
    resident_close(&resident);
}
END_TEST

START_TEST(without_a_descriptor_too) {
    struct resident resident = {-EMFILE};
    expect_touched(&resident);
    resident_close(&resident);
}
END_TEST

START_TEST(what_cannot_be_touched_may_be_resident) {
    struct resident resident;
    char *memory = reserve(100 * PAGE);
    memset(memory, 1, 3 * PAGE);
    ck_assert_int_eq(mprotect(memory, 100 * PAGE, PROT_NONE), 0);
    resident_open(&resident);
    ck_assert_uint_eq(ask(&resident, memory, 100 * PAGE), 3 * PAGE);
    resident_close(&resident);
}
END_TEST

START_TEST(a_terabyte_takes_no_time) {
    struct resident resident;
    struct timespec begin, end;
    char *memory = reserve((size_t)1 << 40);
    memory[(size_t)1 << 39] = 1;
    resident_open(&resident);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    ck_assert_uint_eq(ask(&resident, memory, (size_t)1 << 40), PAGE);
    clock_gettime(CLOCK_MONOTONIC, &end);
    ck_assert_int_le(end.tv_sec - begin.tv_sec, 5);
    resident_close(&resident);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        only_touched_pages_are_resident,
        without_a_descriptor_too,
        what_cannot_be_touched_may_be_resident,
        a_terabyte_takes_no_time,
    };
    return suite_run("resident", tests, sizeof tests / sizeof *tests);
}
