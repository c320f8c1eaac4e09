/* SPDX-License-Identifier: MIT */
#include "trace/memory_use.h"

#include <sys/mman.h>
#include <sys/resource.h>

#include "suite.h"
#include "tracemalloc_dump.h"

enum { MIB = 1 << 20 };

static void limit(int which, uint64_t bytes) {
    struct rlimit value = {bytes, RLIM_INFINITY};
    ck_assert_int_eq(setrlimit(which, &value), 0);
}

static void *map(size_t bytes, int protection) {
    void *memory = mmap(NULL, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(memory, MAP_FAILED);
    return memory;
}

START_TEST(addresses_count_towards_their_limit) {
    limit(RLIMIT_AS, (uint64_t)100 * MIB);
    memory_use_find_limits();
    struct memory_use before = memory_use_read(0);
    ck_assert_uint_eq(before.source, TRACEMALLOC_DUMP_LIMIT_AS);
    ck_assert_uint_eq(before.limit, (uint64_t)100 * MIB);
    map(40 * MIB, PROT_NONE);
    struct memory_use after = memory_use_read(0);
    ck_assert_uint_eq(after.used, before.used + (uint64_t)40 * MIB);
}
END_TEST

START_TEST(data_counts_towards_its_limit) {
    limit(RLIMIT_DATA, (uint64_t)50 * MIB);
    memory_use_find_limits();
    map(20 * MIB, PROT_NONE);
    void *data = map(20 * MIB, PROT_READ | PROT_WRITE);
    struct memory_use use = memory_use_read(0);
    ck_assert_uint_eq(use.source, TRACEMALLOC_DUMP_LIMIT_DATA);
    ck_assert_uint_ge(use.used, (uint64_t)20 * MIB);
    ck_assert_uint_lt(use.used, (uint64_t)39 * MIB);
    munmap(data, 20 * MIB);
    ck_assert_uint_lt(memory_use_read(0).used, use.used);
}
END_TEST

START_TEST(the_nearest_limit_is_named) {
    limit(RLIMIT_AS, (uint64_t)1000 * MIB);
    limit(RLIMIT_DATA, (uint64_t)400 * MIB);
    memory_use_find_limits();
    map(700 * MIB, PROT_NONE);
    ck_assert_uint_eq(memory_use_read(0).source, TRACEMALLOC_DUMP_LIMIT_AS);
    map(350 * MIB / 2, PROT_READ | PROT_WRITE);
    map(350 * MIB / 2 - 60 * MIB, PROT_READ | PROT_WRITE);
    limit(RLIMIT_AS, (uint64_t)4000 * MIB);
    ck_assert_uint_eq(memory_use_read(0).source, TRACEMALLOC_DUMP_LIMIT_DATA);
}
END_TEST

/* Without a limit of its own, the machine's memory is one. */
START_TEST(there_is_always_a_limit) {
    memory_use_find_limits();
    struct memory_use use = memory_use_read(0);
    ck_assert_uint_gt(use.limit, use.used);
    ck_assert_uint_gt(use.resident, 100000);
    ck_assert_uint_ne(use.source, TRACEMALLOC_DUMP_LIMIT_NONE);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        addresses_count_towards_their_limit,
        data_counts_towards_its_limit,
        the_nearest_limit_is_named,
        there_is_always_a_limit,
    };
    return suite_run("memory_use", tests, sizeof tests / sizeof *tests);
}
