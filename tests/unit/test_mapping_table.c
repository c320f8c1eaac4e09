/* SPDX-License-Identifier: MIT */
#include "trace/mapping_table.h"

#include <string.h>
#include <sys/mman.h>

#include "live_blocks.h"
#include "suite.h"
#include "trace/name_table.h"
#include "trace/bucket_table.h"

enum { PAGE = 4096, PAGES = 200, STACKS = 6 };

static const uintptr_t base = 0x7f1230000000;
static struct dump_file file;

static void open_tables(void) {
    ck_assert_int_eq(dump_file_open(&file, 4 << 20), 0);
    ck_assert_int_eq(name_table_open(&file), 0);
    ck_assert_int_eq(bucket_table_open(&file), 0);
}

static uint32_t live_of(uint32_t stack, uint64_t pages) {
    return bucket_table
        .buckets[bucket_table_find(stack, TRACEMALLOC_DUMP_DOMAIN_MMAP, pages * PAGE)]
        .live;
}

static void map(uintptr_t page, size_t pages, uint32_t stack) {
    ck_assert_int_eq(
        mapping_table_add(alone, base + page * PAGE, pages * PAGE, MAPPING_HEAP, stack),
        0);
}

static void unmap(uintptr_t page, size_t pages) {
    ck_assert_int_eq(mapping_table_remove(alone, base + page * PAGE, pages * PAGE), 0);
}

START_TEST(a_mapping_is_one_block) {
    open_tables();
    map(0, 10, 5);
    ck_assert_uint_eq(live_of(5, 10), 1);
    ck_assert_uint_eq(live_bytes(), 10 * PAGE);
    unmap(0, 10);
    ck_assert_uint_eq(live_of(5, 10), 0);
    ck_assert_uint_eq(live_blocks(), 0);
}
END_TEST

START_TEST(a_hole_leaves_two_blocks) {
    open_tables();
    map(0, 10, 5);
    unmap(3, 5);
    ck_assert_uint_eq(live_of(5, 3), 1);
    ck_assert_uint_eq(live_of(5, 2), 1);
    ck_assert_uint_eq(live_blocks(), 2);
    ck_assert_int_eq(mapping_table_kind(alone, base + 2 * PAGE, PAGE), MAPPING_HEAP);
    ck_assert_int_eq(mapping_table_kind(alone, base + 3 * PAGE, 5 * PAGE),
                     MAPPING_NONE);
    ck_assert_int_eq(mapping_table_kind(alone, base, 10 * PAGE), MAPPING_HEAP);
}
END_TEST

START_TEST(a_mapping_over_others_replaces_them) {
    open_tables();
    map(0, 10, 2);
    map(10, 10, 3);
    map(20, 10, 4);
    map(5, 20, 5);
    ck_assert_uint_eq(live_of(2, 5), 1);
    ck_assert_uint_eq(live_of(4, 5), 1);
    ck_assert_uint_eq(live_of(5, 20), 1);
    ck_assert_uint_eq(live_of(3, 10), 0);
    ck_assert_uint_eq(live_blocks(), 3);
}
END_TEST

START_TEST(neighbours_stay_apart) {
    open_tables();
    map(0, 10, 5);
    map(10, 10, 5);
    ck_assert_uint_eq(live_of(5, 10), 2);
    unmap(10, 10);
    ck_assert_uint_eq(live_of(5, 10), 1);
}
END_TEST

START_TEST(what_is_unknown_is_not_discounted) {
    open_tables();
    unmap(0, 100);
    map(5, 1, 2);
    unmap(6, 100);
    unmap(0, 5);
    ck_assert_uint_eq(live_blocks(), 1);
}
END_TEST

START_TEST(clear_counts_nothing) {
    open_tables();
    map(5, 1, 2);
    mapping_table_clear();
    ck_assert_int_eq(mapping_table_kind(alone, base, PAGES * PAGE), MAPPING_NONE);
    unmap(5, 1);
    ck_assert_uint_eq(live_blocks(), 1);
}
END_TEST

START_TEST(many_mappings) {
    open_tables();
    for (uintptr_t at = 0; at < 5000; at++)
        map((at * 7919 % 5000) * 2, 1, 2);
    ck_assert_uint_eq(live_of(2, 1), 5000);
    unmap(0, 10000);
    ck_assert_uint_eq(live_blocks(), 0);
}
END_TEST

/* A naive model: which call mapped each page, and from which stack. */
static struct {
    uint32_t serial[PAGES + 1]; /* 0: not mapped; the last page never is */
    uint32_t stack[PAGES + 1];
    uint32_t last;
} model;

static void model_map(uint32_t first, uint32_t pages, uint32_t stack) {
    model.last++;
    for (uint32_t page = first; page < first + pages; page++) {
        model.serial[page] = model.last;
        model.stack[page] = stack;
    }
}

static void model_unmap(uint32_t first, uint32_t pages) {
    memset(model.serial + first, 0, pages * sizeof *model.serial);
}

/* Runs of pages of one call are the blocks. */
static void expect_model(void) {
    static uint32_t expected[STACKS][PAGES + 1];
    memset(expected, 0, sizeof expected);
    uint64_t blocks = 0, pages = 0;
    for (uint32_t page = 0, run = 0; page < PAGES; page++) {
        run = model.serial[page] != 0 ? run + 1 : 0;
        pages += run > 0;
        if (run == 0 || model.serial[page + 1] == model.serial[page])
            continue;
        expected[model.stack[page]][run]++;
        blocks++;
        run = 0;
    }
    live_expect(blocks, pages * PAGE);
    for (uint32_t stack = 2; stack < STACKS; stack++)
        for (uint32_t run = 1; run <= PAGES; run++)
            ck_assert_uint_eq(live_of(stack, run), expected[stack][run]);
}

static void remap(uint32_t from, uint32_t to, uint32_t pages, uint32_t stack) {
    unmap(from, pages);
    model_unmap(from, pages);
    map(to, pages, stack);
    model_map(to, pages, stack);
}

START_TEST(random_calls_agree_with_the_pages) {
    uint64_t seed = 17;
    open_tables();
    for (int round = 0; round < 20000; round++) {
        uint32_t pages = 1 + random_below(&seed, 40);
        uint32_t first = random_below(&seed, PAGES - pages + 1);
        uint32_t stack = 2 + random_below(&seed, STACKS - 2);
        switch (random_below(&seed, 5)) {
        case 0:
        case 1:
            map(first, pages, stack);
            model_map(first, pages, stack);
            break;
        case 2:
            remap(first, random_below(&seed, PAGES - pages + 1), pages, stack);
            break;
        default:
            unmap(first, pages);
            model_unmap(first, pages);
        }
        ck_assert_int_eq(mapping_table_kind(alone, base + first * PAGE, PAGE) !=
                             MAPPING_NONE,
                         model.serial[first] != 0);
        if (round % 13 == 0)
            expect_model();
    }
}
END_TEST

/* A mapping that found no room in the tables was not counted, and its end is no event
 * either. */
START_TEST(a_mapping_that_was_lost_is_not_discounted) {
    ck_assert_int_eq(dump_file_open(&file, 1 << 20), 0);
    ck_assert_int_eq(name_table_open(&file), 0);
    ck_assert_int_eq(bucket_table_open(&file), 0);
    uint32_t bucket, last = 0;
    for (uint32_t size = 1; (bucket = bucket_table_find(5, 1, size)) != 0;
         size++, last = bucket)
        live_block_count(bucket);
    uint64_t blocks = live_blocks(), bytes = live_bytes();
    map(0, 3, 5);
    ck_assert_uint_eq(live_blocks(), blocks);
    uint64_t size = bucket_table.buckets[last].size;
    live_block_uncount(last);
    unmap(0, 3);
    live_expect(blocks - 1, bytes - size);
}
END_TEST

/* Pages of real memory, of which some are touched. */
static uintptr_t reserve(size_t pages, uint32_t stack) {
    char *memory = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    ck_assert_ptr_ne(memory, MAP_FAILED);
    ck_assert_int_eq(mapping_table_add(alone, (uintptr_t)memory, pages * PAGE,
                                       MAPPING_RESERVED, stack),
                     0);
    return (uintptr_t)memory;
}

static void touch(uintptr_t start, size_t page, size_t pages) {
    memset((char *)start + page * PAGE, 1, pages * PAGE);
}

static uint64_t measure(void) {
    struct resident resident;
    resident_open(&resident);
    uint64_t bytes = mapping_table_measure(&resident);
    resident_close(&resident);
    return bytes;
}

START_TEST(a_reservation_counts_what_is_resident) {
    open_tables();
    uintptr_t start = reserve(100000, 3);
    live_expect(1, 0);
    touch(start, 5, 3);
    live_expect(1, 0);
    ck_assert_uint_eq(measure(), 3 * PAGE);
    live_expect(1, 3 * PAGE);
    ck_assert_uint_eq(live_of(3, 3), 1);
    touch(start, 50000, 7);
    measure();
    live_expect(1, 10 * PAGE);
    ck_assert_int_eq(madvise((char *)start, 100000 * PAGE, MADV_DONTNEED), 0);
    ck_assert_uint_eq(measure(), 0);
    live_expect(1, 0);
    ck_assert_int_eq(mapping_table_remove(alone, start, 100000 * PAGE), 0);
    live_expect(0, 0);
}
END_TEST

/* However often its size changed, it was one block. */
START_TEST(a_reservation_was_allocated_once) {
    open_tables();
    uintptr_t start = reserve(100, 3);
    for (size_t page = 0; page < 100; page++) {
        touch(start, page, 1);
        measure();
    }
    uint64_t total = 0;
    for (uint64_t id = 1; id < file.header->sections[TRACEMALLOC_DUMP_BUCKETS].count;
         id++)
        total += bucket_table.buckets[id].total * bucket_table.buckets[id].size;
    ck_assert_uint_eq(total, 100 * PAGE);
}
END_TEST

START_TEST(parts_of_a_reservation_are_reservations) {
    open_tables();
    uintptr_t start = reserve(1000, 3);
    touch(start, 0, 4);
    touch(start, 900, 6);
    measure();
    ck_assert_int_eq(munmap((char *)start + 100 * PAGE, 100 * PAGE), 0);
    ck_assert_int_eq(mapping_table_remove(alone, start + 100 * PAGE, 100 * PAGE), 0);
    ck_assert_uint_le(live_bytes(), 10 * PAGE);
    measure();
    live_expect(2, 10 * PAGE);
    ck_assert_uint_eq(live_of(3, 4), 1);
    ck_assert_uint_eq(live_of(3, 6), 1);
    ck_assert_int_eq(
        mapping_table_add(alone, start + 200 * PAGE, 50 * PAGE, MAPPING_HEAP, 4), 0);
    ck_assert_uint_eq(live_of(4, 50), 1);
    ck_assert_int_eq(mapping_table_kind(alone, start + 249 * PAGE, PAGE), MAPPING_HEAP);
    ck_assert_int_eq(mapping_table_kind(alone, start + 250 * PAGE, PAGE),
                     MAPPING_RESERVED);
    ck_assert_uint_eq(measure(), 10 * PAGE);
    live_expect(3, 60 * PAGE);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        a_mapping_is_one_block,
        a_hole_leaves_two_blocks,
        a_mapping_over_others_replaces_them,
        neighbours_stay_apart,
        what_is_unknown_is_not_discounted,
        clear_counts_nothing,
        many_mappings,
        random_calls_agree_with_the_pages,
        a_mapping_that_was_lost_is_not_discounted,
        a_reservation_counts_what_is_resident,
        a_reservation_was_allocated_once,
        parts_of_a_reservation_are_reservations,
    };
    return suite_run("mapping_table", tests, sizeof tests / sizeof *tests);
}
