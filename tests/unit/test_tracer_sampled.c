/* SPDX-License-Identifier: MIT */
#include "check_run.h"
#include "trace/tables_valid.h"
#include "trace/tracer.h"

enum { DISTANCE = 1 << 16, SIZE = 100, BLOCK = 0x7f0000000000, DOMAIN_NUMBER = 7 };

static const struct event_guard guard;
static uint32_t domain;

static void set_up(void) {
    const struct tracer_start start = {16, 1 << 20, NULL, DISTANCE};
    ck_assert_int_eq(tracer_open(&start), 0);
    tracer_activate();
    domain = (uint32_t)bucket_table_make_domain(DOMAIN_NUMBER);
}

static void tear_down(void) {
    ck_assert(tables_are_valid(tracer.dump));
    tracer_deactivate();
    tracer_close();
}

static uint32_t bucket_of(uint32_t of_domain, uint64_t size) {
    return bucket_table_find(TRACEMALLOC_DUMP_EMPTY_STACK, of_domain, size);
}

static void insert(uintptr_t block, uint64_t size) {
    tracer_insert_sampled(guard, block,
                          bucket_of(TRACEMALLOC_DUMP_DOMAIN_PYTHON, size));
}

static uint64_t python_bytes(void) {
    return tracer.dump->header->python_bytes;
}

START_TEST(totals_are_what_the_blocks_stand_for) {
    uint64_t weight = sample_weight(SIZE, DISTANCE);
    for (uintptr_t i = 0; i < 10; i++)
        insert(BLOCK + i * 128, SIZE);
    ck_assert_uint_eq(python_bytes(), 10 * weight);
    tracer_remove_sampled(guard, BLOCK, TRACER_PYTHON);
    tracer_remove_sampled(guard, BLOCK + 8, TRACER_PYTHON);
    ck_assert_uint_eq(python_bytes(), 9 * weight);
    ck_assert_uint_eq(tracer.dump->header->peak_bytes, 10 * weight);
    ck_assert_uint_eq(block_map_sampled.count, 9);
}
END_TEST

START_TEST(large_blocks_count_their_size) {
    insert(BLOCK, (uint64_t)DISTANCE * 50);
    ck_assert_uint_eq(python_bytes(), (uint64_t)DISTANCE * 50);
}
END_TEST

START_TEST(blocks_leave_the_map) {
    insert(BLOCK, SIZE);
    ck_assert(block_map_may_be_sampled(BLOCK));
    ck_assert_uint_ne(tracer_take(guard, BLOCK, TRACER_PYTHON), 0);
    tracer_replaced_sampled(guard, BLOCK,
                            bucket_of(TRACEMALLOC_DUMP_DOMAIN_PYTHON, SIZE));
    ck_assert(!block_map_may_be_sampled(BLOCK));
    ck_assert_uint_eq(python_bytes(), 0);
}
END_TEST

START_TEST(a_failed_realloc_puts_back) {
    insert(BLOCK, SIZE);
    uint32_t bucket = tracer_take(guard, BLOCK, TRACER_PYTHON);
    tracer_put_back(guard, BLOCK, bucket);
    ck_assert_uint_eq(python_bytes(), sample_weight(SIZE, DISTANCE));
    tracer_remove_sampled(guard, BLOCK, TRACER_PYTHON);
    ck_assert_uint_eq(python_bytes(), 0);
}
END_TEST

/* One whose free was not seen. */
START_TEST(a_block_replaces_another_at_its_address) {
    insert(BLOCK, SIZE);
    insert(BLOCK, 2 * SIZE);
    ck_assert_uint_eq(python_bytes(), sample_weight(2 * SIZE, DISTANCE));
}
END_TEST

START_TEST(what_a_reclaimed_bucket_counted_is_its_sites) {
    uint32_t bucket = bucket_of(TRACEMALLOC_DUMP_DOMAIN_PYTHON, SIZE);
    struct tracemalloc_dump_site *site = bucket_site(bucket_at(bucket));
    for (int i = 0; i < 100; i++) {
        insert(BLOCK, SIZE);
        tracer_remove_sampled(guard, BLOCK, TRACER_PYTHON);
    }
    insert(BLOCK + 64, (uint64_t)DISTANCE * 50); /* ends the peak that holds it */
    tracer_remove_sampled(guard, BLOCK + 64, TRACER_PYTHON);
    bucket_table_reclaim();
    uint64_t weight = sample_weight(SIZE, DISTANCE);
    ck_assert_uint_ge(site->total_bytes, 100 * weight);
    ck_assert_uint_ge(site->sampled_blocks, 100);
    ck_assert_uint_ge(site->total_blocks, 100 * weight / SIZE);
}
END_TEST

START_TEST(tracked_blocks_stand_for_more_too) {
    ck_assert_int_eq(tracer_track(guard, domain, BLOCK, SIZE, 0), 0);
    ck_assert_uint_eq(python_bytes(), sample_weight(SIZE, DISTANCE));
    ck_assert(block_map_may_be_sampled(BLOCK));
    tracer_untrack(guard, domain, BLOCK);
    ck_assert_uint_eq(python_bytes(), 0);
}
END_TEST

START_TEST(an_unsampled_track_replaces_a_sampled_one) {
    ck_assert_int_eq(tracer_track(guard, domain, BLOCK, SIZE, 0), 0);
    tracer_track_unsampled(guard, domain, BLOCK);
    ck_assert_uint_eq(python_bytes(), 0);
}
END_TEST

START_TEST(a_tracked_block_of_libc_counts_once) {
    tracer_insert_sampled(guard, BLOCK, bucket_of(TRACEMALLOC_DUMP_DOMAIN_LIBC, SIZE));
    tracer_track_unsampled(guard, domain, BLOCK);
    ck_assert_uint_eq(tracer.dump->header->native_bytes, 0);
    ck_assert(!block_map_may_be_sampled(BLOCK));
}
END_TEST

/* The program frees first and says so afterwards. */
START_TEST(a_tracked_address_stays_known_after_its_free) {
    ck_assert_int_eq(tracer_track(guard, domain, BLOCK, SIZE, 0), 0);
    tracer_remove_sampled(guard, BLOCK, TRACER_LIBC);
    ck_assert(block_map_may_be_sampled(BLOCK));
    tracer_untrack(guard, domain, BLOCK);
    ck_assert_uint_eq(python_bytes(), 0);
}
END_TEST

START_TEST(an_exact_tracing_follows) {
    const struct tracer_start exact = {16, 1 << 20, NULL, 0};
    insert(BLOCK, SIZE);
    tracer_deactivate();
    tracer_close();
    ck_assert_int_eq(tracer_open(&exact), 0);
    tracer_activate();
    ck_assert(gate.exact && !block_map.is_sampled);
    tracer_insert(guard, BLOCK, bucket_of(TRACEMALLOC_DUMP_DOMAIN_PYTHON, SIZE));
    ck_assert_uint_eq(python_bytes(), SIZE);
    ck_assert_uint_eq(block_map_sampled.count, 0);
}
END_TEST

START_TEST(slots_of_sampled_blocks_are_checked) {
    insert(BLOCK, SIZE);
    uint32_t *slot = block_map_find(BLOCK), bucket = *slot;
    *slot = bucket + 1000;
    ck_assert(!tables_are_valid(tracer.dump));
    *slot = bucket;
    ck_assert(tables_are_valid(tracer.dump));
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("tracer_sampled");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, totals_are_what_the_blocks_stand_for);
    tcase_add_test(tests, large_blocks_count_their_size);
    tcase_add_test(tests, blocks_leave_the_map);
    tcase_add_test(tests, a_failed_realloc_puts_back);
    tcase_add_test(tests, a_block_replaces_another_at_its_address);
    tcase_add_test(tests, what_a_reclaimed_bucket_counted_is_its_sites);
    tcase_add_test(tests, tracked_blocks_stand_for_more_too);
    tcase_add_test(tests, an_unsampled_track_replaces_a_sampled_one);
    tcase_add_test(tests, a_tracked_block_of_libc_counts_once);
    tcase_add_test(tests, a_tracked_address_stays_known_after_its_free);
    tcase_add_test(tests, an_exact_tracing_follows);
    tcase_add_test(tests, slots_of_sampled_blocks_are_checked);
    return check_run("tracer_sampled", tests);
}
