/* SPDX-License-Identifier: MIT */
#include "trace/epoch_table.h"

#include "bucket_tables.h"
#include "dump/dump_history.h"
#include "live_blocks.h"
#include "suite.h"
#include "trace/bucket_table.h"
#include "trace/live_block.h"

enum { SIZE = 100, STACK = 7 };

static uint64_t now;

static void next_epoch(void) {
    epoch_table_begin(bucket_tables_file(), now += 10);
}

static void set_up(void) {
    now = 1000;
    bucket_tables_open(1 << 22);
    next_epoch();
}

static uint32_t add(uint64_t size) {
    return bucket_tables_add(STACK, TRACEMALLOC_DUMP_DOMAIN_PYTHON, size);
}

/* The site with what its buckets say since. */
static const struct tracemalloc_dump_site *site(void) {
    static struct tracemalloc_dump_site sum;
    const struct tracemalloc_dump_site *own = bucket_tables_site(STACK, 0);
    const struct dump_file *file = bucket_tables_file();
    const struct dump_epochs epochs = {
        (const void *)file->base[TRACEMALLOC_DUMP_EPOCHS],
        bucket_tables_count(TRACEMALLOC_DUMP_EPOCHS)};
    sum = *own;
    for (uint64_t id = 1; id < bucket_tables_count(TRACEMALLOC_DUMP_BUCKETS); id++) {
        const struct tracemalloc_dump_bucket *bucket = &bucket_table.buckets[id];
        if (bucket_site(bucket) == own && file->header->finalized == 0)
            dump_history_add(&sum, bucket, 0,
                             dump_history_epoch(epochs, bucket->stamp));
    }
    return &sum;
}

START_TEST(blocks_of_one_size_differ_by_birth) {
    set_up();
    uint32_t epoch = epoch_now, first = add(SIZE);
    ck_assert_uint_eq(add(SIZE), first);
    ck_assert_uint_eq(bucket_at(first)->birth, 0);
    next_epoch();
    ck_assert_uint_ne(epoch_now, epoch); /* nobody may use the cached bucket */
    uint32_t second = add(SIZE);
    ck_assert_uint_ne(second, first);
    ck_assert_uint_eq(bucket_at(second)->birth, 1);
    ck_assert_uint_eq(bucket_at(first)->live, 2);
    ck_assert_uint_eq(bucket_table_find_born(STACK, 0, SIZE, 0), first);
}
END_TEST

START_TEST(changes_go_to_the_epoch_in_which_they_were) {
    set_up();
    uint32_t bucket = add(SIZE);
    for (int i = 0; i < 4; i++)
        next_epoch();
    live_block_uncount(add(SIZE)); /* leaves nothing */
    add(SIZE);
    for (int i = 0; i < 4; i++)
        next_epoch();
    live_block_uncount(bucket); /* in epoch 8, at an age of 8 */
    ck_assert_int_eq(site()->risen[0], SIZE);
    for (int i = 0; i < 4; i++)
        next_epoch();
    add(SIZE);
    bucket_table_reclaim();
    ck_assert_int_eq(site()->risen[2], -SIZE);
    ck_assert_uint_eq(site()->freed_late[3], 1);
    ck_assert_uint_eq(site()->freed_late[0], 0);
}
END_TEST

/* A peak between two epochs notes what a bucket held, and an epoch does not. */
START_TEST(epochs_do_not_end_peaks) {
    set_up();
    uint32_t bucket = add(SIZE);
    add(SIZE);
    live_block_uncount(bucket);
    next_epoch();
    next_epoch();
    ck_assert_uint_eq(bucket_tables_sums(STACK, 0).peak_blocks, 2);
    live_block_uncount(bucket);
    add(50);
    ck_assert_uint_eq(bucket_tables_sums(STACK, 0).peak_blocks, 2);
    ck_assert_uint_eq(bucket_tables_sums(STACK, 0).peak_bytes, 2 * SIZE);
}
END_TEST

START_TEST(a_resized_block_did_not_die) {
    set_up();
    uint32_t old = add(SIZE);
    next_epoch();
    next_epoch();
    live_block_uncount_resized(old);
    uint32_t slot = add(3 * SIZE);
    uint32_t older = bucket_table_find_born(STACK, 0, 3 * SIZE, 0);
    live_block_age(&slot, older);
    ck_assert_uint_eq(slot, older);
    ck_assert_uint_eq(bucket_at(older)->birth, 0);
    ck_assert_uint_eq(bucket_at(older)->live, 1);
    ck_assert_uint_eq(bucket_tables_sums(STACK, 0).blocks, 1);
    ck_assert_uint_eq(bucket_tables_sums(STACK, 0).total_blocks, 2);
    next_epoch();
    bucket_table_reclaim();
    ck_assert_uint_eq(site()->freed_late[1], 0);
    ck_assert_int_eq(site()->risen[0], 3 * SIZE);
}
END_TEST

START_TEST(many_epochs_become_half) {
    set_up();
    uint32_t first = add(SIZE);
    for (unsigned i = 1; i < TRACEMALLOC_DUMP_MAX_EPOCHS; i++) {
        next_epoch();
        add(SIZE);
    }
    ck_assert_uint_eq(bucket_tables_count(TRACEMALLOC_DUMP_EPOCHS), 64);
    ck_assert(epoch_table_begin(bucket_tables_file(), now + 10));
    ck_assert_uint_eq(bucket_tables_count(TRACEMALLOC_DUMP_EPOCHS), 33);
    ck_assert_uint_eq(bucket_table.header->halvings, 1);
    ck_assert_uint_eq(bucket_table.birth, 32);
    ck_assert_uint_eq(bucket_at(first)->birth, 0);
    uint64_t births[TRACEMALLOC_DUMP_MAX_EPOCHS] = {0};
    for (uint64_t id = 1; id < bucket_tables_count(TRACEMALLOC_DUMP_BUCKETS); id++)
        births[bucket_table.buckets[id].birth] += bucket_table.buckets[id].live;
    for (unsigned i = 0; i < 32; i++)
        ck_assert_uint_eq(births[i], 2);
    for (unsigned i = 0; i < 8; i++)
        ck_assert_int_eq(site()->risen[i], 8 * SIZE);
    ck_assert_int_eq(site()->risen[8], 0);
}
END_TEST

/* All are dead when the next epoch begins, and make room for those of that, also where
 * a sweep of those in use found little to reclaim. */
START_TEST(older_births_make_room) {
    enum { SIZES = 6000, KEPT = 10000 };
    set_up();
    for (uint64_t size = 1; size <= KEPT; size++)
        add(SIZES + size);
    for (unsigned epoch = 0; epoch < 20; epoch++) {
        for (uint64_t size = 1; size <= SIZES; size++)
            live_block_uncount(add(size));
        ck_assert_uint_ge(bucket_table.created, epoch == 0 ? SIZES : 1);
        next_epoch();
        ck_assert_uint_eq(bucket_table.created, 0);
    }
    ck_assert_uint_lt(bucket_tables_count(TRACEMALLOC_DUMP_BUCKETS), KEPT + 4 * SIZES);
    ck_assert_uint_eq(bucket_tables_sums(STACK, 0).total_blocks, KEPT + 20 * SIZES);
}
END_TEST

/* A count is exact, also where there is no room for another birth. */
START_TEST(blocks_without_room_are_of_an_older_birth) {
    bucket_tables_open(1 << 20);
    next_epoch();
    uint32_t first = add(SIZE), bucket;
    next_epoch();
    uint32_t second = add(SIZE);
    for (uint64_t size = SIZE + 1; (bucket = bucket_table_find(STACK, 0, size)) != 0;
         size++)
        live_block_count(bucket);
    next_epoch();
    next_epoch();
    ck_assert_uint_eq(bucket_table.birth, 3);
    uint64_t lost = bucket_table.header->lost[TRACEMALLOC_DUMP_LOST_STACKS];
    uint32_t created = bucket_table.created;
    ck_assert_uint_eq(add(SIZE), second);
    ck_assert_uint_eq(add(SIZE), second);
    ck_assert_uint_eq(bucket_table.created, created);
    ck_assert_uint_eq(bucket_at(first)->live, 1);
    ck_assert_uint_eq(bucket_at(second)->live, 3);
    ck_assert_uint_eq(bucket_table.header->lost[TRACEMALLOC_DUMP_LOST_STACKS], lost);
    ck_assert_uint_eq(bucket_table_find(STACK + 1, 0, SIZE), 0);
}
END_TEST

START_TEST(the_end_completes_the_history) {
    set_up();
    uint32_t bucket = add(SIZE);
    next_epoch();
    live_block_uncount(bucket);
    add(SIZE);
    bucket_table_freeze();
    ck_assert_int_eq(site()->risen[0], SIZE);
    ck_assert_uint_eq(site()->freed_late[0], 1);
    next_epoch();
    live_block_uncount(add(SIZE));
    ck_assert_uint_eq(bucket_tables_count(TRACEMALLOC_DUMP_EPOCHS), 2);
    ck_assert_int_eq(site()->risen[0], SIZE);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        blocks_of_one_size_differ_by_birth,
        changes_go_to_the_epoch_in_which_they_were,
        epochs_do_not_end_peaks,
        a_resized_block_did_not_die,
        many_epochs_become_half,
        older_births_make_room,
        blocks_without_room_are_of_an_older_birth,
        the_end_completes_the_history,
    };
    return suite_run("epoch_table", tests, sizeof tests / sizeof *tests);
}
