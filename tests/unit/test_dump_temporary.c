/* SPDX-License-Identifier: MIT */
#include "dump/dump_temporary.h"

#include "bucket_tables.h"
#include "suite.h"
#include "trace/bucket_table.h"
#include "trace/live_block.h"

enum { SIZE = 100, STACK = 7, MAX = DUMP_TEMPORARY_LIMIT - 1 };

static uint32_t add(void) {
    return bucket_tables_add(STACK, TRACEMALLOC_DUMP_DOMAIN_PYTHON, SIZE);
}

static void count(struct tracemalloc_dump_bucket *bucket, uint32_t times) {
    for (uint32_t i = 0; i < times; i++)
        live_block_count_temporary(bucket);
}

START_TEST(the_count_is_beside_the_birth) {
    struct tracemalloc_dump_bucket bucket = {.birth = 255, .live_before = UINT32_MAX};
    for (uint32_t i = 0; i < MAX; i++)
        ck_assert(!dump_temporary_add(&bucket));
    ck_assert_uint_eq(dump_temporary_get(&bucket), MAX);
    ck_assert_uint_eq(bucket.birth, 255);
    ck_assert(dump_temporary_add(&bucket));
    ck_assert_uint_eq(dump_temporary_get(&bucket), 0);
    ck_assert_uint_eq(bucket.birth, 255);
    ck_assert_uint_eq(bucket.live_before, UINT32_MAX);
}
END_TEST

START_TEST(more_than_a_bucket_can_count) {
    bucket_tables_open(1 << 20);
    uint32_t id = add();
    count(bucket_at(id), MAX);
    const struct tracemalloc_dump_site *site = bucket_tables_site(STACK, 0);
    ck_assert_uint_eq(site->temporary_blocks, 0);
    count(bucket_at(id), 3);
    ck_assert_uint_eq(site->temporary_blocks, DUMP_TEMPORARY_LIMIT);
    ck_assert_uint_eq(site->temporary_bytes, (uint64_t)DUMP_TEMPORARY_LIMIT * SIZE);
    ck_assert_uint_eq(dump_temporary_get(bucket_at(id)), 2);
}
END_TEST

START_TEST(a_reclaimed_bucket_leaves_its_count) {
    bucket_tables_open(1 << 20);
    uint32_t id = add();
    count(bucket_at(id), 5);
    live_block_uncount(id);
    bucket_table.header->peak_bytes = 0;
    bucket_table.header->peak_number = ++bucket_table.header->stamp;
    ck_assert_uint_eq(bucket_table_reclaim(), 1);
    const struct tracemalloc_dump_site *site = bucket_tables_site(STACK, 0);
    ck_assert_uint_eq(site->temporary_blocks, 5);
    ck_assert_uint_eq(site->temporary_bytes, 5 * SIZE);
    ck_assert_uint_eq(dump_temporary_get(bucket_at(id)), 0);
    ck_assert_uint_eq(add(), id);
    ck_assert_uint_eq(dump_temporary_get(bucket_at(id)), 0);
}
END_TEST

START_TEST(clearing_forgets_them) {
    bucket_tables_open(1 << 20);
    uint32_t id = add();
    count(bucket_at(id), MAX);
    count(bucket_at(id), 5);
    bucket_table_clear();
    ck_assert_uint_eq(dump_temporary_get(bucket_at(id)), 0);
    ck_assert_uint_eq(bucket_tables_site(STACK, 0)->temporary_blocks, 0);
}
END_TEST

/* Opens tables in which the next free ends no peak. */
static void open_below_a_peak(void) {
    bucket_tables_open(1 << 20);
    add();
    live_block_uncount(add());
}

START_TEST(a_free_says_whether_the_block_was_temporary) {
    open_below_a_peak();
    uint32_t id = add(), slot = id;
    ck_assert(live_block_remove_fast(&slot, false));
    ck_assert_uint_eq(dump_temporary_get(bucket_at(id)), 0);
    slot = add();
    ck_assert(live_block_remove_near(&slot, false));
    ck_assert_uint_eq(dump_temporary_get(bucket_at(id)), 0);
    slot = add();
    ck_assert(live_block_remove_fast(&slot, true));
    ck_assert_uint_eq(dump_temporary_get(bucket_at(id)), 1);
    slot = add();
    ck_assert(live_block_remove_near(&slot, true));
    ck_assert_uint_eq(dump_temporary_get(bucket_at(id)), 2);
    ck_assert_uint_eq(bucket_at(id)->live, 1);
    ck_assert_uint_eq(slot, 0);
}
END_TEST

START_TEST(a_full_count_takes_the_slower_path) {
    open_below_a_peak();
    uint32_t id = add(), slot = id;
    count(bucket_at(id), MAX);
    ck_assert(!live_block_remove_fast(&slot, true));
    ck_assert_uint_eq(slot, id);
    ck_assert_uint_eq(bucket_at(id)->live, 2);
    ck_assert_uint_eq(dump_temporary_get(bucket_at(id)), MAX);
    ck_assert(live_block_remove_near(&slot, true));
    ck_assert_uint_eq(dump_temporary_get(bucket_at(id)), 0);
    ck_assert_uint_eq(bucket_tables_site(STACK, 0)->temporary_blocks, MAX + 1);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        the_count_is_beside_the_birth,
        more_than_a_bucket_can_count,
        a_reclaimed_bucket_leaves_its_count,
        clearing_forgets_them,
        a_free_says_whether_the_block_was_temporary,
        a_full_count_takes_the_slower_path,
    };
    return suite_run("dump_temporary", tests, sizeof tests / sizeof *tests);
}
