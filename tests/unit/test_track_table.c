/* SPDX-License-Identifier: MIT */
#include "trace/track_table.h"

#include <string.h>

#include "live_blocks.h"
#include "suite.h"
#include "trace/name_table.h"
#include "trace/bucket_table.h"

enum { STACK = 5, MINE = 3, OTHER = 4, ADDRESSES = 3000, ROUNDS = 60000 };

static struct dump_file file;

static void open_tables(void) {
    ck_assert_int_eq(dump_file_open(&file, 64 << 20), 0);
    ck_assert_int_eq(name_table_open(&file), 0);
    ck_assert_int_eq(bucket_table_open(&file), 0);
    ck_assert_int_eq(bucket_table_make_domain(77), MINE);
    ck_assert_int_eq(bucket_table_make_domain(78), OTHER);
    track_table_clear();
}

static void track(uint32_t domain, uintptr_t address, uint64_t size) {
    ck_assert_int_eq(track_table_insert(domain, address, size, STACK), 0);
    ck_assert_uint_ne(track_table_find(domain, address), 0);
}

START_TEST(a_block_counts_until_it_is_removed) {
    open_tables();
    ck_assert_uint_eq(track_table_find(MINE, 4096), 0);
    track(MINE, 4096, 100);
    live_expect(1, 100);
    track_table_remove(MINE, 4096);
    ck_assert_uint_eq(track_table_find(MINE, 4096), 0);
    live_expect(0, 0);
}
END_TEST

START_TEST(each_domain_has_its_own_block_at_an_address) {
    open_tables();
    track(MINE, 4096, 100);
    track(OTHER, 4096, 7);
    live_expect(2, 107);
    track_table_remove(MINE, 4096);
    ck_assert_uint_ne(track_table_find(OTHER, 4096), 0);
    live_expect(1, 7);
}
END_TEST

START_TEST(a_block_told_twice_is_the_later_one) {
    open_tables();
    track(MINE, 4096, 100);
    track(MINE, 4096, 30);
    live_expect(1, 30);
    track_table_remove(MINE, 4096);
    live_expect(0, 0);
}
END_TEST

/* Any number is an address to whoever calls us, 0 too. */
START_TEST(addresses_are_only_numbers) {
    open_tables();
    track_table_remove(MINE, 1);
    track(MINE, 0, 1);
    track(MINE, 1, 2);
    track(MINE, UINTPTR_MAX, 4);
    track_table_remove(OTHER, 0);
    live_expect(3, 7);
    track_table_remove(MINE, 0);
    live_expect(2, 6);
}
END_TEST

static void change(uint64_t *random, uint64_t *sizes) {
    uint32_t at = random_below(random, ADDRESSES);
    uintptr_t address = (at + 1) * (uintptr_t)16;
    uint64_t size = random_below(random, 50);
    if (size == 0)
        track_table_remove(MINE, address);
    else
        track(MINE, address, size);
    sizes[at] = size;
}

START_TEST(many_blocks_come_and_go) {
    static uint64_t sizes[ADDRESSES];
    uint64_t random = 88172645463325252, blocks = 0, bytes = 0;
    open_tables();
    for (uint32_t round = 0; round < ROUNDS; round++)
        change(&random, sizes);
    for (uint32_t at = 0; at < ADDRESSES; at++) {
        uint32_t bucket = track_table_find(MINE, (at + 1) * (uintptr_t)16);
        ck_assert_int_eq(bucket != 0, sizes[at] != 0);
        ck_assert(bucket == 0 || bucket_table.buckets[bucket].size == sizes[at]);
        blocks += sizes[at] != 0;
        bytes += sizes[at];
    }
    live_expect(blocks, bytes);
}
END_TEST

START_TEST(what_is_cleared_is_not_counted_down) {
    open_tables();
    track(MINE, 4096, 100);
    track_table_clear();
    ck_assert_uint_eq(track_table_find(MINE, 4096), 0);
    live_expect(1, 100);
    track_table_clear();
    track(MINE, 8192, 1);
    live_expect(2, 101);
}
END_TEST

START_TEST(without_room_nothing_is_counted) {
    uint64_t size = 1;
    ck_assert_int_eq(dump_file_open(&file, 1 << 20), 0);
    ck_assert_int_eq(name_table_open(&file), 0);
    ck_assert_int_eq(bucket_table_open(&file), 0);
    while (track_table_insert(0, size * 16, size, STACK) == 0)
        size++;
    ck_assert_uint_eq(track_table_find(0, size * 16), 0);
    live_expect(size - 1, size * (size - 1) / 2);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        a_block_counts_until_it_is_removed,
        each_domain_has_its_own_block_at_an_address,
        a_block_told_twice_is_the_later_one,
        addresses_are_only_numbers,
        many_blocks_come_and_go,
        what_is_cleared_is_not_counted_down,
        without_room_nothing_is_counted,
    };
    return suite_run("track_table", tests, sizeof tests / sizeof *tests);
}
