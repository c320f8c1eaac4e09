/* SPDX-License-Identifier: MIT */
#include "trace/census.h"

#include <string.h>
#include <sys/mman.h>

#include "base/machine.h"
#include "dump/dump_census.h"
#include "live_blocks.h"
#include "suite.h"
#include "trace/name_table.h"
#include "trace/tracer.h"

enum { PYTHON, LIBC, PAGES = 64, GRANULE = 16 };

static unsigned char *heap; /* PAGES pages */
static struct own_memory memory;

static void open_tracer(uint32_t distance) {
    const struct tracer_start start = {GRANULE, 1 << 24, NULL, distance};
    ck_assert_int_eq(tracer_open(&start), 0);
    tracer_activate();
    heap = mmap(NULL, (size_t)PAGES * MACHINE_MAX_PAGE, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(heap, MAP_FAILED);
    ck_assert_int_eq(own_memory_open(&memory), 0);
}

/* A block whose first byte says its type: A is `a`, B is `b`; others are none. */
static void hold(size_t granule, uint64_t size, uint32_t stack, uint32_t domain,
                 char type) {
    unsigned char *block = heap + granule * GRANULE;
    *block = (unsigned char)type;
    tracer_insert(alone, (uintptr_t)block, bucket_table_find(stack, domain, size));
}

static uintptr_t table_of_t;

/* A block that begins with T has a table. */
static uint32_t type_of(const unsigned char *head, uint64_t size, uintptr_t *table,
                        uint32_t *table_type) {
    ck_assert_uint_gt(size, 0);
    *table = head[0] == 'T' ? table_of_t : 0;
    *table_type = head[0] == 'T' ? census_type("t", 1) : 0;
    if (head[0] == 'T')
        return census_type("owner", 5);
    if (head[0] != 'A' && head[0] != 'B')
        return 0;
    return census_type(head[0] == 'A' ? "a" : "b", 1);
}

static void take(void) {
    const struct census_source source = {&memory, type_of};
    ck_assert_int_eq(census_take(&source), 0);
}

static uint64_t count_of(unsigned section) {
    return tracer.dump->header->sections[section].count;
}

/* Blocks of a type that a stack holds, in the dump. */
static uint32_t blocks_of(uint32_t stack, const char *type) {
    const struct tracemalloc_dump_census *entries =
        (const void *)tracer.dump->base[TRACEMALLOC_DUMP_CENSUS];
    const struct tracemalloc_dump_type *types =
        (const void *)tracer.dump->base[TRACEMALLOC_DUMP_TYPES];
    uint32_t wanted = name_table_string(type, strlen(type)), blocks = 0;
    for (uint64_t i = 0; i < count_of(TRACEMALLOC_DUMP_CENSUS); i++)
        if (types[entries[i].type].name == wanted &&
            bucket_site(bucket_at(entries[i].bucket))->stack == stack)
            blocks += entries[i].blocks;
    return blocks;
}

START_TEST(blocks_are_counted_by_bucket_and_type) {
    open_tracer(0);
    for (size_t i = 0; i < 3000; i++)
        hold(i * 4, i % 2 == 0 ? 40 : 64, 5, PYTHON, i % 3 == 0 ? 'A' : 'B');
    hold(12001, 16, 6, PYTHON, 'A');
    hold(12002, 5000, 6, PYTHON, 'x');
    hold(12500, 16, 6, LIBC, 'A');
    take();
    ck_assert_uint_eq(blocks_of(5, "a"), 1000);
    ck_assert_uint_eq(blocks_of(5, "b"), 2000);
    ck_assert_uint_eq(blocks_of(6, "a"), 1);
    ck_assert_uint_eq(blocks_of(6, ""), 1);
    ck_assert_uint_eq(count_of(TRACEMALLOC_DUMP_CENSUS), 4 + 2);
    ck_assert_uint_eq(count_of(TRACEMALLOC_DUMP_TYPES), 3);
    ck_assert_uint_eq(tracer.dump->header->census_unread, 0);
    ck_assert(dump_census_exists(tracer.dump));
    tracer_remove(alone, (uintptr_t)heap, TRACER_PYTHON);
    take();
    ck_assert_uint_eq(blocks_of(5, "a"), 999);
    ck_assert_uint_eq(count_of(TRACEMALLOC_DUMP_TYPES), 3);
}
END_TEST

START_TEST(sampled_blocks_too) {
    open_tracer(64);
    hold(0, 40, 5, PYTHON, 'A');
    hold(900, 40, 5, PYTHON, 'B');
    hold(901, 40, 5, PYTHON, 'B');
    take();
    ck_assert_uint_eq(blocks_of(5, "a"), 1);
    ck_assert_uint_eq(blocks_of(5, "b"), 2);
}
END_TEST

/* No hook saw their free. */
START_TEST(blocks_without_memory_are_passed_over) {
    open_tracer(0);
    size_t page = MACHINE_MAX_PAGE / GRANULE;
    for (size_t i = 0; i < PAGES; i++)
        hold(i * page, 40, 5, PYTHON, 'A');
    hold(3 * page - 1, 16, 6, PYTHON, 'B');
    for (size_t i = 3; i < PAGES; i += 5)
        ck_assert_int_eq(munmap(heap + i * MACHINE_MAX_PAGE, MACHINE_MAX_PAGE), 0);
    take();
    ck_assert_uint_eq(blocks_of(5, "a"), PAGES - 13);
    ck_assert_uint_eq(blocks_of(6, "b"), 1);
    ck_assert_uint_eq(tracer.dump->header->census_unread, 13);
}
END_TEST

START_TEST(reclaimed_buckets_end_it) {
    open_tracer(0);
    hold(0, 40, 5, PYTHON, 'A');
    take();
    ck_assert(dump_census_exists(tracer.dump));
    bucket_table_reclaim();
    ck_assert(!dump_census_exists(tracer.dump));
    ck_assert_uint_eq(count_of(TRACEMALLOC_DUMP_CENSUS), 0);
    take();
    tracer_clear();
    ck_assert(!dump_census_exists(tracer.dump));
}
END_TEST

START_TEST(a_table_is_of_its_owner) {
    open_tracer(0);
    for (size_t i = 0; i < 2; i++) {
        hold(10 + 90 * i, 40, 5, PYTHON, 'T');
        hold(50, 500, 6, PYTHON, 'x');
        hold(52, 500, 6, PYTHON, 'x');
        table_of_t = (uintptr_t)heap + 50 * GRANULE;
        take();
        ck_assert_uint_eq(blocks_of(6, "t"), 1 + i);
        ck_assert_uint_eq(blocks_of(6, ""), 1 - i);
        ck_assert_uint_eq(blocks_of(5, "owner"), 1 + i);
        ck_assert_uint_eq(tracer.dump->header->census_unread, 0);
    }
    /* Two blocks name the first as their table, and then there is one without. */
    tracer_remove(alone, (uintptr_t)heap + 52 * GRANULE, TRACER_PYTHON);
    take();
    ck_assert_uint_eq(blocks_of(6, "t"), 1);
    ck_assert_uint_eq(blocks_of(6, ""), 0);
    hold(52, 500, 6, PYTHON, 'x');
    const uintptr_t others[] = {
        0,       1,           table_of_t + 8,    table_of_t + GRANULE,
        1 << 20, UINTPTR_MAX, (uintptr_t)1 << 47};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        table_of_t = others[i];
        take();
        ck_assert_uint_eq(blocks_of(6, ""), 2);
        ck_assert_uint_eq(blocks_of(6, "t"), 0);
    }
}
END_TEST

static void take_at_freeze(void) {
    take();
}

START_TEST(what_the_end_counted_stays) {
    open_tracer(0);
    hold(0, 40, 5, PYTHON, 'A');
    take();
    tracer_freeze();
    ck_assert(!dump_census_exists(tracer.dump));
    tracer_close();
    open_tracer(0);
    tracer.before_freeze = take_at_freeze;
    hold(0, 40, 5, PYTHON, 'A');
    tracer_freeze();
    tracer_remove(alone, (uintptr_t)heap, TRACER_PYTHON);
    bucket_table_reclaim();
    tracer_freeze();
    ck_assert_uint_eq(blocks_of(5, "a"), 1);
}
END_TEST

START_TEST(without_room_the_rest_is_not_counted) {
    open_tracer(0);
    for (size_t i = 0; i < 3000; i++)
        hold(i, 1 + i, 5, PYTHON, 'A');
    tracer.dump->max_size = 0;
    take();
    uint64_t counted = count_of(TRACEMALLOC_DUMP_CENSUS);
    ck_assert_uint_eq(counted + tracer.dump->header->census_unread, 3000);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        blocks_are_counted_by_bucket_and_type,
        sampled_blocks_too,
        blocks_without_memory_are_passed_over,
        reclaimed_buckets_end_it,
        a_table_is_of_its_owner,
        what_the_end_counted_stays,
        without_room_the_rest_is_not_counted,
    };
    return suite_run("census", tests, sizeof tests / sizeof *tests);
}
