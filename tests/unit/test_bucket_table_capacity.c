/* SPDX-License-Identifier: MIT */
/* The table of buckets at its capacity. */
#include <time.h>

#include "live_blocks.h"
#include "bucket_tables.h"
#include "suite.h"
#include "trace/bucket_table.h"

enum { KEPT = 100, FIRST_KEPT = 1000, CHURNED = 50000 };

static void count_kept(uint32_t kept[KEPT]) {
    for (uint32_t at = 0; at < KEPT; at++)
        kept[at] = bucket_tables_add(5, 0, FIRST_KEPT + at);
}

static void discount_kept(const uint32_t kept[KEPT]) {
    for (uint32_t at = 0; at < KEPT; at++)
        live_block_uncount(kept[at]);
}

/* Makes more buckets than there is room for. */
static void churn(uint32_t stack) {
    for (uint32_t at = 0; at < CHURNED; at++)
        live_block_uncount(bucket_tables_add(stack, 0, 1 + at));
    ck_assert_uint_lt(bucket_tables_count(TRACEMALLOC_DUMP_BUCKETS), CHURNED);
}

START_TEST(what_recycled_buckets_counted_is_their_sites) {
    bucket_tables_open(16 << 20);
    churn(6);
    ck_assert_uint_gt(bucket_tables_site(6, 0)->total_blocks, 0);
    ck_assert_uint_eq(bucket_tables_sums(6, 0).total_blocks, CHURNED);
    ck_assert_uint_eq(bucket_tables_sums(6, 0).total_bytes,
                      (uint64_t)CHURNED * (CHURNED + 1) / 2);
    ck_assert_uint_eq(bucket_tables_sums(6, 0).blocks, 0);
}
END_TEST

START_TEST(buckets_of_the_peak_are_recycled_after_the_next) {
    uint32_t kept[KEPT];
    bucket_tables_open(16 << 20);
    count_kept(kept);
    discount_kept(kept);
    churn(6);
    for (uint32_t at = 0; at < KEPT; at++)
        ck_assert_uint_eq(bucket_table.buckets[kept[at]].size, FIRST_KEPT + at);
    ck_assert_uint_eq(bucket_tables_sums(5, 0).peak_blocks, KEPT);
    ck_assert_uint_eq(bucket_tables_site(5, 0)->total_blocks, 0);
    live_block_uncount(bucket_tables_add(7, 0, 1 << 30));
    churn(6);
    ck_assert_uint_eq(bucket_tables_sums(5, 0).peak_blocks, 0);
    ck_assert_uint_eq(bucket_tables_site(5, 0)->total_blocks, KEPT);
    ck_assert_uint_eq(bucket_tables_sums(7, 0).peak_bytes, 1 << 30);
}
END_TEST

START_TEST(frozen_buckets_are_not_recycled) {
    uint32_t frozen[KEPT];
    bucket_tables_open(16 << 20);
    count_kept(frozen);
    bucket_table_freeze();
    discount_kept(frozen);
    churn(6);
    for (uint32_t at = 0; at < KEPT; at++) {
        ck_assert_uint_eq(bucket_table.buckets[frozen[at]].size, FIRST_KEPT + at);
        ck_assert_uint_eq(bucket_table.buckets[frozen[at]].at_exit, 1);
    }
}
END_TEST

START_TEST(stacks_without_room_overflow_with_their_sizes) {
    bucket_tables_open(1 << 20);
    uint64_t bytes = 0;
    for (uint32_t stack = 2; stack < 80000; stack++) {
        bucket_tables_add(stack, 1, 10 + stack % 500);
        bytes += 10 + stack % 500;
    }
    uint64_t overflow = bucket_tables_sums(TRACEMALLOC_DUMP_OVERFLOW_STACK, 1).blocks;
    ck_assert_uint_gt(overflow, 10000);
    ck_assert_uint_ge(bucket_table.header->lost[TRACEMALLOC_DUMP_LOST_STACKS],
                      overflow);
    ck_assert_uint_eq(live_bytes(), bytes);
    ck_assert_uint_eq(bucket_table.header->lost[TRACEMALLOC_DUMP_LOST_BLOCKS], 0);
}
END_TEST

START_TEST(buckets_without_room_are_lost_until_one_dies) {
    bucket_tables_open(1 << 20);
    uint32_t size = 1, bucket, first = bucket_table_find(5, 0, 1);
    for (; (bucket = bucket_table_find(5, 0, size)) != 0; size++)
        live_block_count(bucket);
    ck_assert_uint_ge(size, (1 << 20) / sizeof *bucket_table.buckets - 1);
    /* Whoever has a block counts it. */
    ck_assert_uint_eq(bucket_table.failure, TRACEMALLOC_DUMP_LOST_BLOCKS);
    ck_assert_uint_eq(bucket_table.header->lost[TRACEMALLOC_DUMP_LOST_BLOCKS], 0);
    live_block_uncount(first);
    /* A new peak, which the dead bucket had no part in. */
    live_block_count(first + 1);
    live_block_count(first + 1);
    /* A sweep for dead buckets is long, so that not each lost block may begin one. */
    uint32_t tries = 0;
    while ((bucket = bucket_table_find(5, 0, size)) == 0)
        ck_assert_uint_lt(tries++, size);
    ck_assert_uint_eq(bucket, first);
}
END_TEST

/* Where nothing can be recycled, an event must not cost a walk over the whole table. */
START_TEST(lost_blocks_cost_little) {
    struct timespec before, after;
    bucket_tables_open(64 << 20);
    for (uint32_t size = 1, bucket; (bucket = bucket_table_find(5, 0, size)) != 0;
         size++)
        live_block_count(bucket);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    for (uint32_t size = 0; size < 1000; size++)
        ck_assert_uint_eq(bucket_table_find(6, 0, 1 + size), 0);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    ck_assert_int_le(after.tv_sec - before.tv_sec, 1);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        what_recycled_buckets_counted_is_their_sites,
        buckets_of_the_peak_are_recycled_after_the_next,
        frozen_buckets_are_not_recycled,
        stacks_without_room_overflow_with_their_sizes,
        buckets_without_room_are_lost_until_one_dies,
        lost_blocks_cost_little,
    };
    return suite_run("bucket_table_capacity", tests, sizeof tests / sizeof *tests);
}
