/* SPDX-License-Identifier: MIT */
#include "trace/block_map.h"

#include <pthread.h>

#include "suite.h"

enum { THREADS = 4, CHUNKS = 64 };

static const uintptr_t chunk_size = (uintptr_t)1 << BLOCK_MAP_CHUNK_SHIFT;

START_TEST(nothing_is_found_before_it_was_made) {
    ck_assert_int_eq(block_map_open(16), 0);
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
    ck_assert_int_eq(block_map_open(granule), 0);
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

START_TEST(the_whole_of_user_space_is_covered) {
    const uintptr_t last = ((uintptr_t)1 << BLOCK_MAP_ADDRESS_BITS) - 16;
    ck_assert_int_eq(block_map_open(16), 0);
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
    ck_assert_int_eq(block_map_open(16), 0);
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
    ck_assert_int_eq(block_map_open(16), 0);
    ck_assert_uint_eq(map_bytes(), 0);
    for (uintptr_t at = 0; at < 1 << 20; at += 16)
        *block_map_make(3 * chunk_size + at) = 1;
    ck_assert_uint_eq(map_bytes(), 4 << 16);
}
END_TEST

static pthread_barrier_t barrier;

static void *make_all(void *argument) {
    uintptr_t number = (uintptr_t)argument;
    for (uintptr_t chunk = 0; chunk < CHUNKS; chunk++) {
        pthread_barrier_wait(&barrier);
        *block_map_make(chunk * chunk_size + number * 16) = (uint32_t)number + 1;
    }
    return NULL;
}

START_TEST(threads_that_meet_share_a_chunk) {
    pthread_t threads[THREADS];
    ck_assert_int_eq(block_map_open(16), 0);
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (uintptr_t at = 0; at < THREADS; at++)
        pthread_create(&threads[at], NULL, make_all, (void *)at);
    for (uintptr_t at = 0; at < THREADS; at++)
        pthread_join(threads[at], NULL);
    for (uintptr_t chunk = 0; chunk < CHUNKS; chunk++)
        for (uintptr_t at = 0; at < THREADS; at++)
            ck_assert_uint_eq(*block_map_find(chunk * chunk_size + at * 16), at + 1);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        nothing_is_found_before_it_was_made, neighbours_have_slots_of_their_own,
        the_whole_of_user_space_is_covered,  clear_forgets_all,
        only_touched_pages_cost_memory,      threads_that_meet_share_a_chunk,
    };
    return suite_run("block_map", tests, sizeof tests / sizeof *tests);
}
