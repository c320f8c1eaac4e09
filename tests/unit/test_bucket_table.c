/* SPDX-License-Identifier: MIT */
#include "trace/bucket_table.h"

#include <errno.h>

#include "trace/event_clock.h"

#include "live_blocks.h"
#include "bucket_tables.h"
#include "suite.h"

enum { STACKS = 12, BLOCKS = 400, DOMAINS = 3 };

START_TEST(the_first_domains_are_fixed) {
    bucket_tables_open(1 << 20);
    ck_assert_uint_eq(bucket_tables_count(TRACEMALLOC_DUMP_DOMAINS), 3);
    ck_assert_int_eq(bucket_table_domain(77), -ENOENT);
    ck_assert_int_eq(bucket_table_make_domain(77), 3);
    ck_assert_int_eq(bucket_table_make_domain(0), 0);
    ck_assert_int_eq(bucket_table_make_domain(77), 3);
    ck_assert_int_eq(bucket_table_domain(77), 3);
    /* A program's own domain may have the number of libc's. */
    ck_assert_int_eq(bucket_table_domain(TRACEMALLOC_DUMP_DOMAIN_LIBC), -ENOENT);
    ck_assert_int_eq(bucket_table_make_domain(TRACEMALLOC_DUMP_DOMAIN_LIBC), 4);
    ck_assert_uint_eq(bucket_tables_count(TRACEMALLOC_DUMP_DOMAINS), 5);
}
END_TEST

START_TEST(a_bucket_is_its_stack_domain_and_size) {
    bucket_tables_open(1 << 20);
    uint32_t bucket = bucket_tables_add(5, 0, 100);
    ck_assert_uint_eq(bucket_table_find(5, 0, 100), bucket);
    ck_assert_uint_ne(bucket_table_find(6, 0, 100), bucket);
    ck_assert_uint_ne(bucket_table_find(5, 1, 100), bucket);
    ck_assert_uint_ne(bucket_table_find(5, 0, 101), bucket);
    ck_assert_uint_ne(bucket_table_find(5, 0, 100 + ((uint64_t)1 << 32)), bucket);
    ck_assert_uint_eq(bucket_table.buckets[bucket].live, 1);
    ck_assert_ptr_eq(bucket_site(&bucket_table.buckets[bucket]),
                     bucket_tables_site(5, 0));
}
END_TEST

START_TEST(the_empty_stack_counts_too) {
    bucket_tables_open(1 << 20);
    uint32_t bucket = bucket_tables_add(TRACEMALLOC_DUMP_EMPTY_STACK, 0, 8);
    ck_assert_uint_eq(bucket_tables_add(TRACEMALLOC_DUMP_EMPTY_STACK, 0, 8), bucket);
    ck_assert_uint_eq(bucket_tables_sums(0, 0).blocks, 2);
    ck_assert_uint_eq(bucket_tables_sums(0, 0).bytes, 16);
}
END_TEST

struct block {
    uint32_t stack, domain;
    uint64_t size;
    uintptr_t address;
};

/* A naive model: the sums, and copies of them at each new peak. */
static struct model {
    struct block blocks[BLOCKS];
    uint32_t live;
    uint64_t bytes, peak;
    struct bucket_sums sums[STACKS][DOMAINS];
} model;

static void model_note_peak(void) {
    model.peak = model.bytes;
    for (uint32_t stack = 0; stack < STACKS; stack++)
        for (uint32_t domain = 0; domain < DOMAINS; domain++) {
            struct bucket_sums *sums = &model.sums[stack][domain];
            sums->peak_bytes = sums->bytes;
            sums->peak_blocks = sums->blocks;
        }
}

static void model_add(struct block block) {
    struct bucket_sums *sums = &model.sums[block.stack][block.domain];
    model.blocks[model.live++] = block;
    model.bytes += block.size;
    sums->bytes += block.size;
    sums->blocks++;
    sums->total_bytes += block.size;
    sums->total_blocks++;
    if (model.bytes > model.peak)
        model_note_peak();
}

static struct block model_remove(uint32_t at) {
    struct block block = model.blocks[at];
    model.blocks[at] = model.blocks[--model.live];
    model.bytes -= block.size;
    model.sums[block.stack][block.domain].bytes -= block.size;
    model.sums[block.stack][block.domain].blocks--;
    return block;
}

static void add_totals(struct bucket_sums *sums,
                       const struct tracemalloc_dump_site *site) {
    sums->total_bytes += site->total_bytes;
    sums->total_blocks += site->total_blocks;
}

static void expect_model(void) {
    struct bucket_sums sums[STACKS][DOMAINS] = {0};
    live_expect(model.live, model.bytes);
    ck_assert_uint_eq(bucket_tables_peak(), model.peak);
    for (uint64_t id = 0; id < bucket_tables_count(TRACEMALLOC_DUMP_SITES); id++) {
        const struct tracemalloc_dump_site *site = bucket_table.sites + id;
        add_totals(&sums[site->stack][site->domain], site);
    }
    for (uint64_t id = 1; id < bucket_tables_count(TRACEMALLOC_DUMP_BUCKETS); id++) {
        const struct tracemalloc_dump_bucket *bucket = bucket_table.buckets + id;
        const struct tracemalloc_dump_site *site = bucket_site(bucket);
        bucket_sums_add(&sums[site->stack][site->domain], bucket);
    }
    ck_assert_mem_eq(sums, model.sums, sizeof sums);
}

/* As an event does, by the fast functions where they can; if `slow`, by the others. */
static void add_block(struct block block, bool slow) {
    uint32_t id = bucket_table_find(block.stack, block.domain, block.size);
    ck_assert_uint_ne(id, 0);
    bool fast = !slow && block.domain == TRACEMALLOC_DUMP_DOMAIN_PYTHON;
    if (!fast || (!live_block_add_fast(block.address, bucket_at(id), id, block.size) &&
                  !live_block_add_near(block.address, bucket_at(id), id, block.size)))
        live_block_add(block_map_make(block.address), id);
    ck_assert_uint_eq(*block_map_find(block.address), id);
}

static void remove_block(struct block block, bool slow) {
    uint32_t *slot = block_map_find(block.address);
    if (slow ||
        (!live_block_remove_fast(slot, false) && !live_block_remove_near(slot, false)))
        live_block_uncount(live_block_take(slot));
    ck_assert_uint_eq(*slot, 0);
}

static void one_event(uint64_t *seed, uint32_t wanted, uint32_t sizes) {
    if (model.live < BLOCKS &&
        random_below(seed, 100) < (model.live < wanted ? 60 : 40)) {
        static uintptr_t address;
        struct block block = {random_below(seed, STACKS), random_below(seed, DOMAINS),
                              1 + random_below(seed, sizes), address += 16};
        add_block(block, random_below(seed, 4) == 0);
        model_add(block);
    } else if (model.live > 0) {
        struct block block = model_remove(random_below(seed, model.live));
        remove_block(block, random_below(seed, 4) == 0);
    }
}

/* The heap swings, so that peaks come and go. */
START_TEST(each_stack_at_the_peak_is_exact) {
    uint64_t seed = 11;
    bucket_tables_open(1 << 20);
    ck_assert_int_eq(block_map_open(16, false), 0);
    for (int round = 0; round < 20000; round++) {
        uint32_t wanted = round / 500 % 2 ? 300 : 50;
        one_event(&seed, wanted, 40);
        if (round % 7 == 0)
            expect_model();
    }
}
END_TEST

START_TEST(the_interpreters_own_domains_have_a_peak_of_their_own) {
    bucket_tables_open(1 << 20);
    uint32_t mine = (uint32_t)bucket_table_make_domain(77);
    uint32_t python = bucket_tables_add(5, TRACEMALLOC_DUMP_DOMAIN_PYTHON, 10);
    bucket_tables_add(5, TRACEMALLOC_DUMP_DOMAIN_LIBC, 1000);
    bucket_tables_add(5, TRACEMALLOC_DUMP_DOMAIN_MMAP, 4096);
    uint32_t tracked = bucket_tables_add(5, mine, 3);
    ck_assert_uint_eq(bucket_table.header->python_bytes, 13);
    live_block_uncount(python);
    live_block_uncount(tracked);
    bucket_tables_add(5, mine, 5);
    ck_assert_uint_eq(bucket_table.header->python_bytes, 5);
    ck_assert_uint_eq(bucket_table.header->python_peak_bytes, 13);
    ck_assert_uint_eq(live_bytes(), 5101);
}
END_TEST

START_TEST(a_new_peak_before_a_fall) {
    bucket_tables_open(1 << 20);
    uint32_t first = bucket_tables_add(5, 0, 10);
    live_block_uncount(first);
    bucket_tables_add(5, 0, 10);
    bucket_tables_add(6, 0, 30);
    ck_assert_uint_eq(bucket_tables_peak(), 40);
    ck_assert_uint_eq(bucket_tables_sums(5, 0).peak_bytes, 10);
    ck_assert_uint_eq(bucket_tables_sums(6, 0).peak_bytes, 30);
    live_block_uncount(first);
    bucket_tables_add(7, 0, 5);
    ck_assert_uint_eq(bucket_table.header->peak_bytes, 40);
    ck_assert_uint_eq(bucket_tables_sums(5, 0).peak_bytes, 10);
    ck_assert_uint_eq(bucket_tables_sums(6, 0).peak_bytes, 30);
    ck_assert_uint_eq(bucket_tables_sums(7, 0).peak_bytes, 0);
}
END_TEST

/* A block that changes its stack changes neither the totals nor the peak. */
START_TEST(a_transfer_is_a_block_more_ever) {
    bucket_tables_open(1 << 20);
    uint32_t first = bucket_tables_add(5, 0, 10), last = bucket_tables_add(6, 0, 30);
    live_block_uncount(last);
    uint32_t second = bucket_table_find(7, 0, 10);
    uint32_t slot = first;
    live_block_move(&slot, second);
    ck_assert_uint_eq(slot, second);
    live_expect(1, 10);
    ck_assert_uint_eq(bucket_tables_sums(5, 0).peak_bytes, 10);
    ck_assert_uint_eq(bucket_tables_sums(7, 0).peak_bytes, 0);
    ck_assert_uint_eq(bucket_tables_sums(5, 0).blocks, 0);
    ck_assert_uint_eq(bucket_tables_sums(7, 0).blocks, 1);
    ck_assert_uint_eq(bucket_tables_sums(7, 0).total_bytes, 10);
    ck_assert_uint_eq(bucket_table.header->peak_bytes, 40);
}
END_TEST

START_TEST(more_blocks_than_a_bucket_can_count) {
    bucket_tables_open(1 << 20);
    uint32_t bucket = bucket_tables_add(5, 0, 10);
    bucket_table.buckets[bucket].total = UINT32_MAX;
    bucket_tables_add(5, 0, 10);
    ck_assert_uint_eq(bucket_table.buckets[bucket].total, 0);
    ck_assert_uint_eq(bucket_tables_site(5, 0)->total_blocks, (uint64_t)1 << 32);
    bucket_tables_add(5, 0, 10);
    ck_assert_uint_eq(bucket_tables_sums(5, 0).total_blocks, ((uint64_t)1 << 32) + 1);
    ck_assert_uint_eq(bucket_tables_sums(5, 0).total_bytes,
                      10 * (((uint64_t)1 << 32) + 1));
}
END_TEST

static uint32_t expected_live(const struct tracemalloc_dump_bucket *bucket) {
    const struct tracemalloc_dump_site *site = bucket_site(bucket);
    uint32_t live = 0;
    for (uint32_t at = 0; at < model.live; at++)
        live += model.blocks[at].size == bucket->size &&
                model.blocks[at].stack == site->stack &&
                model.blocks[at].domain == site->domain;
    return live;
}

/* The live buckets, each by itself, are the model's blocks. */
static void expect_buckets(void) {
    uint64_t sum = 0;
    for (uint64_t id = 1; id < bucket_tables_count(TRACEMALLOC_DUMP_BUCKETS); id++) {
        const struct tracemalloc_dump_bucket *bucket = bucket_table.buckets + id;
        if (bucket->live == 0)
            continue;
        ck_assert_uint_eq(bucket->live, expected_live(bucket));
        sum += bucket->live;
    }
    ck_assert_uint_eq(sum, model.live);
}

/* Nearly each block has a size of its own, so that the table is full of dead buckets
 * again and again. */
START_TEST(recycled_buckets_keep_the_counts_right) {
    uint64_t seed = 13;
    bucket_tables_open(16 << 20);
    ck_assert_int_eq(block_map_open(16, false), 0);
    uint64_t room = bucket_tables_capacity();
    for (int round = 0; round < 300000; round++) {
        one_event(&seed, 300, 1 << 20);
        if (round % 10000 == 0) {
            expect_buckets();
            expect_model();
        }
        for (uint32_t at = 0; round % 1000 == 0 && at < model.live; at++)
            ck_assert_uint_eq(bucket_table_find(model.blocks[at].stack,
                                                model.blocks[at].domain,
                                                model.blocks[at].size),
                              *block_map_find(model.blocks[at].address));
    }
    expect_model();
    ck_assert_uint_le(bucket_tables_count(TRACEMALLOC_DUMP_BUCKETS), room);
}
END_TEST

START_TEST(freeze_keeps_what_lived_then) {
    bucket_tables_open(1 << 20);
    uint32_t first = bucket_tables_add(5, 0, 10), second = bucket_tables_add(5, 0, 20);
    bucket_tables_add(5, 0, 10);
    bucket_table_freeze();
    ck_assert_uint_eq(bucket_table.header->finalized, 1);
    live_block_uncount(first);
    live_block_uncount(second);
    bucket_tables_add(6, 0, 30);
    bucket_table_freeze();
    ck_assert_uint_eq(bucket_table.buckets[first].at_exit, 2);
    ck_assert_uint_eq(bucket_table.buckets[first].live, 1);
    ck_assert_uint_eq(bucket_table.buckets[second].at_exit, 1);
    ck_assert_uint_eq(bucket_table.buckets[bucket_table_find(6, 0, 30)].at_exit, 0);
}
END_TEST

/* A program that allocates elsewhere may be slow from now on. */
START_TEST(a_new_bucket_brings_the_clock_forward) {
    bucket_tables_open(1 << 20);
    event_clock.countdown = EVENT_CLOCK_MAX_STRIDE;
    uint32_t bucket = bucket_table_find(5, 0, 100);
    ck_assert_uint_eq(event_clock.countdown, EVENT_CLOCK_MIN_STRIDE);
    event_clock.countdown = EVENT_CLOCK_MAX_STRIDE;
    ck_assert_uint_eq(bucket_table_find(5, 0, 100), bucket);
    ck_assert_uint_eq(event_clock.countdown, EVENT_CLOCK_MAX_STRIDE);
    event_clock.countdown = 1;
    bucket_table_find(5, 0, 101);
    ck_assert_uint_eq(event_clock.countdown, 1);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        the_first_domains_are_fixed,
        a_bucket_is_its_stack_domain_and_size,
        the_empty_stack_counts_too,
        each_stack_at_the_peak_is_exact,
        the_interpreters_own_domains_have_a_peak_of_their_own,
        a_new_peak_before_a_fall,
        a_transfer_is_a_block_more_ever,
        more_blocks_than_a_bucket_can_count,
        recycled_buckets_keep_the_counts_right,
        freeze_keeps_what_lived_then,
        a_new_bucket_brings_the_clock_forward,
    };
    return suite_run("bucket_table", tests, sizeof tests / sizeof *tests);
}
