/* SPDX-License-Identifier: MIT */
#include "trace/block_map.h"

#include <pthread.h>

#include "base/machine.h"
#include "suite.h"

enum { THREADS = 3, CHUNKS = 20000 };

/* With granules of 16 bytes. */
static const uintptr_t chunk_size = (uintptr_t)16 << BLOCK_MAP_SLOT_BITS;

START_TEST(nothing_is_found_before_it_was_made) {
    ck_assert_int_eq(block_map_open(16, false), 0);
    ck_assert_ptr_null(block_map_find(0x7f0000001230));
    ck_assert_ptr_null(block_map_find(0));
    uint32_t *slot = block_map_make(0x7f0000001230);
    ck_assert_ptr_nonnull(slot);
    ck_assert_uint_eq(*slot, 0);
    *slot = 7;
    ck_assert_ptr_eq(block_map_find(0x7f0000001230), slot);
    ck_assert_ptr_eq(block_map_make(0x7f0000001230), slot);
    ck_assert_uint_eq(*block_map_find(0x7f0000001240), 0);
}
END_TEST

static void expect_own_slots(unsigned granule) {
    uintptr_t base = 5 * chunk_size - 8 * granule;
    ck_assert_int_eq(block_map_open(granule, false), 0);
    for (uint32_t at = 0; at < 16; at++)
        *block_map_make(base + at * granule) = at + 1;
    for (uint32_t at = 0; at < 16; at++)
        ck_assert_uint_eq(*block_map_find(base + at * granule), at + 1);
}

START_TEST(neighbours_have_slots_of_their_own) {
    expect_own_slots(16);
    block_map_clear();
    expect_own_slots(8);
}
END_TEST

START_TEST(each_way_finds_the_same_slot) {
    uint64_t seed = 5;
    ck_assert_int_eq(block_map_open(16, false), 0);
    for (int round = 0; round < 20000; round++) {
        uintptr_t chunk = random_below(&seed, 300) * chunk_size;
        uintptr_t address = chunk + 16 * random_below(&seed, 1 << BLOCK_MAP_SLOT_BITS);
        if (random_below(&seed, 100) == 0)
            ck_assert_ptr_nonnull(block_map_make(address));
        const uint32_t *near = block_map_find_near(address);
        ck_assert_ptr_eq(block_map_find_fast(address), near);
        ck_assert(near == NULL || near == block_map_find(address));
    }
}
END_TEST

START_TEST(the_whole_of_user_space_is_covered) {
    const uintptr_t last = ((uintptr_t)1 << MACHINE_ADDRESS_BITS) - 16;
    ck_assert_int_eq(block_map_open(16, false), 0);
    *block_map_make(0) = 1;
    *block_map_make(last) = 2;
    ck_assert_uint_eq(*block_map_find(0), 1);
    ck_assert_uint_eq(*block_map_find(last), 2);
    ck_assert_ptr_null(block_map_make(last + 16));
    ck_assert_ptr_null(block_map_find(last + 16));
    ck_assert_ptr_null(block_map_find(UINTPTR_MAX));
}
END_TEST

static uint64_t map_bytes(void) {
    struct resident resident;
    resident_open(&resident);
    uint64_t bytes = block_map_bytes(&resident);
    resident_close(&resident);
    return bytes;
}

START_TEST(clear_forgets_all) {
    uint64_t seed = 3;
    uintptr_t addresses[100];
    ck_assert_int_eq(block_map_open(16, false), 0);
    for (int at = 0; at < 100; at++) {
        addresses[at] = ((uintptr_t)random_below(&seed, 1 << 20) << 27) +
                        16 * random_below(&seed, 1 << 23);
        *block_map_make(addresses[at]) = 5;
    }
    ck_assert_uint_gt(map_bytes(), 0);
    block_map_clear();
    ck_assert_uint_eq(map_bytes(), 0);
    for (int at = 0; at < 100; at++)
        ck_assert_uint_eq(*block_map_find(addresses[at]), 0);
}
END_TEST

START_TEST(only_touched_pages_cost_memory) {
    ck_assert_int_eq(block_map_open(16, false), 0);
    ck_assert_uint_eq(map_bytes(), 0);
    for (uintptr_t at = 0; at < 1 << 20; at += 16)
        *block_map_make(3 * chunk_size + at) = 1;
    ck_assert_uint_eq(map_bytes(), 4 << 16);
}
END_TEST

/* Far-apart areas of which each would lie where the others do, in a small table. */
static uintptr_t chunk_address(uint64_t number) {
    const uintptr_t apart = (uintptr_t)1 << 40;
    return (number % 8) * apart + number / 8 * chunk_size + number % 100 * 16;
}

START_TEST(areas_apart_do_not_meet) {
    ck_assert_int_eq(block_map_open(16, false), 0);
    for (uint64_t number = 0; number < CHUNKS; number++)
        *block_map_make(chunk_address(number)) = (uint32_t)number + 1;
    for (uint64_t number = 0; number < CHUNKS; number++)
        ck_assert_uint_eq(*block_map_find(chunk_address(number)), number + 1);
    ck_assert_ptr_null(block_map_find(chunk_address(8 * CHUNKS)));
}
END_TEST

static uintptr_t scattered_chunk(uint64_t number) {
    return number * 2654435761u % (1 << 26);
}

/* Of the first chunks, by all masks that tables had before this one. */
static void expect_no_free_homes(uint64_t count, uintptr_t first_mask) {
    for (uint64_t number = 1; number < count; number++) {
        uintptr_t key = scattered_chunk(number);
        for (uintptr_t mask = first_mask; mask < block_map.mask; mask = mask * 2 + 1)
            ck_assert_uint_ne(block_map.chunks[key & mask].key, 0);
    }
}

START_TEST(a_mask_of_before_leads_to_no_free_position) {
    ck_assert_int_eq(block_map_open(16, false), 0);
    const uintptr_t first = block_map.mask;
    unsigned grown = 0;
    for (uint64_t number = 1; number < CHUNKS; number++) {
        uintptr_t mask = block_map.mask;
        *block_map_make(scattered_chunk(number) * chunk_size) = (uint32_t)number;
        if (block_map.mask == mask)
            continue;
        grown++;
        expect_no_free_homes(number, first);
    }
    ck_assert_uint_ge(grown, 2);
    for (uint64_t number = 1; number < CHUNKS; number++)
        ck_assert_uint_eq(*block_map_find(scattered_chunk(number) * chunk_size),
                          number);
}
END_TEST

/* Address space, which RLIMIT_AS and mlockall(2) count. */
static uint64_t mapped_bytes(void) {
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fscanf(file, "%lu", &pages), 1);
    fclose(file);
    return pages * 4096;
}

START_TEST(what_is_mapped_follows_what_is_used) {
    uint64_t before = mapped_bytes();
    ck_assert_int_eq(block_map_open(16, false), 0);
    *block_map_make(0x10000000) = 1;
    *block_map_make(0x7f0000000000) = 1;
    ck_assert_uint_le(mapped_bytes() - before, 3 << 19);
    for (uint64_t number = 0; number < 1000; number++)
        *block_map_make(number * chunk_size) = 1;
    uint64_t used = 1000 * (chunk_size / 4);
    ck_assert_uint_le(mapped_bytes() - before, used + used / 4);
}
END_TEST

static _Atomic uint64_t made;

/* Each finds, without a lock, what was made before it asks. */
static void *find_all(void *wrong) {
    for (uint64_t number = 0; number < CHUNKS; number++) {
        uint64_t seen;
        while ((seen = made) == 0)
            ;
        const uint32_t *slot = block_map_find(chunk_address(seen - 1));
        if (slot == NULL || *slot != (uint32_t)seen)
            ++*(int *)wrong;
    }
    return NULL;
}

START_TEST(finding_takes_no_lock) {
    pthread_t threads[THREADS];
    int wrong[THREADS] = {0};
    ck_assert_int_eq(block_map_open(16, false), 0);
    for (int at = 0; at < THREADS; at++)
        pthread_create(&threads[at], NULL, find_all, &wrong[at]);
    for (uint64_t number = 0; number < CHUNKS; number++) {
        *block_map_make(chunk_address(number)) = (uint32_t)number + 1;
        made = number + 1;
    }
    for (int at = 0; at < THREADS; at++) {
        pthread_join(threads[at], NULL);
        ck_assert_int_eq(wrong[at], 0);
    }
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        nothing_is_found_before_it_was_made,
        neighbours_have_slots_of_their_own,
        each_way_finds_the_same_slot,
        the_whole_of_user_space_is_covered,
        clear_forgets_all,
        only_touched_pages_cost_memory,
        areas_apart_do_not_meet,
        a_mask_of_before_leads_to_no_free_position,
        what_is_mapped_follows_what_is_used,
        finding_takes_no_lock,
    };
    return suite_run("block_map", tests, sizeof tests / sizeof *tests);
}
