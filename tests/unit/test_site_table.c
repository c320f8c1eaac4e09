/* SPDX-License-Identifier: MIT */
#include "trace/site_table.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "suite.h"
#include "trace/name_table.h"

enum { STACKS = 12, BLOCKS = 400, DOMAINS = 3 };

static struct dump_file file;

static void open_tables(uint64_t max_size) {
    ck_assert_int_eq(dump_file_open(&file, max_size), 0);
    ck_assert_int_eq(name_table_open(&file), 0);
    ck_assert_int_eq(site_table_open(&file), 0);
}

static uint64_t count_of(unsigned section) {
    return file.header->sections[section].count;
}

static uint32_t count_block(uint32_t stack, uint32_t domain, uint64_t size) {
    uint32_t site = site_table_find(stack, domain, size);
    ck_assert_uint_ne(site, 0);
    site_table_count(site);
    return site;
}

/* What the tally says of a stack in a domain; NULL when it has none. */
static const struct tracemalloc_dump_tally *tally_of(uint32_t stack, uint32_t domain) {
    for (uint64_t id = 1; id < count_of(TRACEMALLOC_DUMP_TALLIES); id++)
        if (site_table.tallies[id].stack == stack &&
            site_table.tallies[id].domain == domain)
            return &site_table.tallies[id];
    return NULL;
}

/* As the format tells readers to do it. */
static uint64_t bytes_at_peak(const struct tracemalloc_dump_tally *tally) {
    bool now = file.header->rising || tally->peak_number != file.header->peak_number;
    return now ? tally->bytes : tally->peak_bytes;
}

static uint64_t blocks_at_peak(const struct tracemalloc_dump_tally *tally) {
    bool now = file.header->rising || tally->peak_number != file.header->peak_number;
    return now ? tally->blocks : tally->peak_blocks;
}

START_TEST(the_first_domains_are_fixed) {
    open_tables(1 << 20);
    ck_assert_int_eq(site_table_domain(TRACEMALLOC_DUMP_DOMAIN_MMAP, "x"), 2);
    ck_assert_int_eq(site_table_domain(77, "mine"), 3);
    ck_assert_int_eq(site_table_domain(0, "x"), 0);
    ck_assert_int_eq(site_table_domain(77, "other"), 3);
    ck_assert_uint_eq(count_of(TRACEMALLOC_DUMP_DOMAINS), 4);
}
END_TEST

START_TEST(a_site_is_its_stack_domain_and_size) {
    open_tables(1 << 20);
    uint32_t site = count_block(5, 0, 100);
    ck_assert_uint_eq(site_table_find(5, 0, 100), site);
    ck_assert_uint_ne(site_table_find(6, 0, 100), site);
    ck_assert_uint_ne(site_table_find(5, 1, 100), site);
    ck_assert_uint_ne(site_table_find(5, 0, 101), site);
    ck_assert_uint_ne(site_table_find(5, 0, 100 + ((uint64_t)1 << 32)), site);
    ck_assert_uint_eq(site_table.sites[site].live, 1);
    ck_assert_ptr_eq(&site_table.tallies[site_table.sites[site].tally], tally_of(5, 0));
}
END_TEST

START_TEST(the_empty_stack_counts_too) {
    open_tables(1 << 20);
    uint32_t site = count_block(TRACEMALLOC_DUMP_EMPTY_STACK, 0, 8);
    ck_assert_uint_eq(count_block(TRACEMALLOC_DUMP_EMPTY_STACK, 0, 8), site);
    ck_assert_uint_eq(tally_of(0, 0)->blocks, 2);
    ck_assert_uint_eq(tally_of(0, 0)->bytes, 16);
}
END_TEST

struct block {
    uint32_t site, stack, domain;
    uint64_t size;
};

/* A naive model: the sums, and copies of them at each new peak. */
static struct model {
    struct block blocks[BLOCKS];
    uint32_t live;
    uint64_t bytes, peak, total[STACKS][DOMAINS];
    uint64_t now[STACKS][DOMAINS], count[STACKS][DOMAINS];
    uint64_t at_peak[STACKS][DOMAINS], count_at_peak[STACKS][DOMAINS];
} model;

static void model_add(struct block block) {
    model.blocks[model.live++] = block;
    model.bytes += block.size;
    model.now[block.stack][block.domain] += block.size;
    model.total[block.stack][block.domain] += block.size;
    model.count[block.stack][block.domain]++;
    if (model.bytes <= model.peak)
        return;
    model.peak = model.bytes;
    memcpy(model.at_peak, model.now, sizeof model.now);
    memcpy(model.count_at_peak, model.count, sizeof model.count);
}

static struct block model_remove(uint32_t at) {
    struct block block = model.blocks[at];
    model.blocks[at] = model.blocks[--model.live];
    model.bytes -= block.size;
    model.now[block.stack][block.domain] -= block.size;
    model.count[block.stack][block.domain]--;
    return block;
}

static void expect_tally(uint32_t stack, uint32_t domain) {
    const struct tracemalloc_dump_tally *tally = tally_of(stack, domain);
    if (tally == NULL) {
        ck_assert_uint_eq(model.total[stack][domain], 0);
        return;
    }
    ck_assert_uint_eq(tally->bytes, model.now[stack][domain]);
    ck_assert_uint_eq(tally->blocks, model.count[stack][domain]);
    ck_assert_uint_eq(tally->total_bytes, model.total[stack][domain]);
    ck_assert_uint_eq(bytes_at_peak(tally), model.at_peak[stack][domain]);
    ck_assert_uint_eq(blocks_at_peak(tally), model.count_at_peak[stack][domain]);
}

static void expect_model(void) {
    ck_assert_uint_eq(file.header->bytes, model.bytes);
    ck_assert_uint_eq(file.header->blocks, model.live);
    ck_assert_uint_eq(file.header->peak_bytes, model.peak);
    for (uint32_t stack = 0; stack < STACKS; stack++)
        for (uint32_t domain = 0; domain < DOMAINS; domain++)
            expect_tally(stack, domain);
}

static void one_event(uint64_t *seed, uint32_t wanted, uint32_t sizes) {
    if (model.live < BLOCKS &&
        random_below(seed, 100) < (model.live < wanted ? 60 : 40)) {
        struct block block = {0, random_below(seed, STACKS),
                              random_below(seed, DOMAINS),
                              1 + random_below(seed, sizes)};
        block.site = count_block(block.stack, block.domain, block.size);
        model_add(block);
    } else if (model.live > 0) {
        site_table_discount(model_remove(random_below(seed, model.live)).site);
    }
}

/* The heap swings, so that peaks come and go. */
START_TEST(each_stack_at_the_peak_is_exact) {
    uint64_t seed = 11;
    open_tables(1 << 20);
    for (int round = 0; round < 20000; round++) {
        uint32_t wanted = round / 500 % 2 ? 300 : 50;
        one_event(&seed, wanted, 40);
        if (round % 7 == 0)
            expect_model();
    }
}
END_TEST

START_TEST(the_interpreters_own_domains_have_a_peak_of_their_own) {
    open_tables(1 << 20);
    uint32_t mine = (uint32_t)site_table_domain(77, "mine");
    uint32_t python = count_block(5, TRACEMALLOC_DUMP_DOMAIN_PYTHON, 10);
    count_block(5, TRACEMALLOC_DUMP_DOMAIN_LIBC, 1000);
    count_block(5, TRACEMALLOC_DUMP_DOMAIN_MMAP, 4096);
    uint32_t tracked = count_block(5, mine, 3);
    ck_assert_uint_eq(file.header->python_bytes, 13);
    site_table_discount(python);
    site_table_discount(tracked);
    count_block(5, mine, 5);
    ck_assert_uint_eq(file.header->python_bytes, 5);
    ck_assert_uint_eq(file.header->python_peak_bytes, 13);
    ck_assert_uint_eq(file.header->bytes, 5101);
}
END_TEST

START_TEST(a_new_peak_before_a_fall) {
    open_tables(1 << 20);
    uint32_t first = count_block(5, 0, 10);
    site_table_discount(first);
    count_block(5, 0, 10);
    count_block(6, 0, 30);
    ck_assert_uint_eq(file.header->peak_bytes, 40);
    ck_assert_uint_eq(bytes_at_peak(tally_of(5, 0)), 10);
    ck_assert_uint_eq(bytes_at_peak(tally_of(6, 0)), 30);
    site_table_discount(first);
    count_block(7, 0, 5);
    ck_assert_uint_eq(bytes_at_peak(tally_of(5, 0)), 10);
    ck_assert_uint_eq(bytes_at_peak(tally_of(6, 0)), 30);
    ck_assert_uint_eq(bytes_at_peak(tally_of(7, 0)), 0);
}
END_TEST

static uint32_t expected_live(const struct tracemalloc_dump_site *site) {
    const struct tracemalloc_dump_tally *tally = &site_table.tallies[site->tally];
    uint32_t live = 0;
    for (uint32_t at = 0; at < model.live; at++)
        live += model.blocks[at].size == site->size &&
                model.blocks[at].stack == tally->stack &&
                model.blocks[at].domain == tally->domain;
    return live;
}

/* The live sites, each by itself, are the model's blocks. */
static void expect_sites(void) {
    uint64_t sum = 0;
    for (uint64_t id = 1; id < count_of(TRACEMALLOC_DUMP_SITES); id++) {
        const struct tracemalloc_dump_site *site = site_table.sites + id;
        if (site->live == 0)
            continue;
        ck_assert_uint_eq(site->live, expected_live(site));
        sum += site->live;
    }
    ck_assert_uint_eq(sum, model.live);
}

/* Nearly each block has a size of its own, so that the table is full of dead sites
 * again and again. */
START_TEST(recycled_sites_keep_the_counts_right) {
    uint64_t seed = 13;
    open_tables(16 << 20);
    uint64_t room = file.mapped[TRACEMALLOC_DUMP_SITES] / sizeof *site_table.sites;
    for (int round = 0; round < 300000; round++) {
        one_event(&seed, 300, 1 << 20);
        if (round % 10000 == 0)
            expect_sites();
        for (uint32_t at = 0; round % 1000 == 0 && at < model.live; at++)
            ck_assert_uint_eq(site_table_find(model.blocks[at].stack,
                                              model.blocks[at].domain,
                                              model.blocks[at].size),
                              model.blocks[at].site);
    }
    expect_model();
    ck_assert_uint_le(count_of(TRACEMALLOC_DUMP_SITES), room);
}
END_TEST

START_TEST(freeze_keeps_what_lived_then) {
    open_tables(1 << 20);
    uint32_t first = count_block(5, 0, 10), second = count_block(5, 0, 20);
    count_block(5, 0, 10);
    site_table_freeze();
    ck_assert_uint_eq(file.header->finalized, 1);
    site_table_discount(first);
    site_table_discount(second);
    count_block(6, 0, 30);
    site_table_freeze();
    ck_assert_uint_eq(site_table.sites[first].at_exit, 2);
    ck_assert_uint_eq(site_table.sites[first].live, 1);
    ck_assert_uint_eq(site_table.sites[second].at_exit, 1);
    ck_assert_uint_eq(site_table.sites[site_table_find(6, 0, 30)].at_exit, 0);
}
END_TEST

START_TEST(frozen_sites_are_not_recycled) {
    uint32_t frozen[100];
    open_tables(16 << 20);
    for (uint32_t at = 0; at < 100; at++)
        frozen[at] = count_block(5, 0, 1000 + at);
    site_table_freeze();
    for (uint32_t at = 0; at < 100; at++)
        site_table_discount(frozen[at]);
    for (uint32_t at = 0; at < 50000; at++)
        site_table_discount(count_block(6, 0, 1 + at));
    for (uint32_t at = 0; at < 100; at++) {
        ck_assert_uint_eq(site_table.sites[frozen[at]].size, 1000 + at);
        ck_assert_uint_eq(site_table.sites[frozen[at]].at_exit, 1);
    }
}
END_TEST

START_TEST(stacks_without_room_overflow_with_their_sizes) {
    open_tables(1 << 20);
    uint64_t bytes = 0;
    for (uint32_t stack = 2; stack < 30000; stack++) {
        count_block(stack, 1, 10 + stack % 5);
        bytes += 10 + stack % 5;
    }
    const struct tracemalloc_dump_tally *overflow =
        tally_of(TRACEMALLOC_DUMP_OVERFLOW_STACK, 1);
    ck_assert_uint_gt(overflow->blocks, 10000);
    ck_assert_uint_eq(overflow->blocks,
                      file.header->lost[TRACEMALLOC_DUMP_LOST_STACKS]);
    ck_assert_uint_eq(file.header->bytes, bytes);
    ck_assert_uint_eq(file.header->lost[TRACEMALLOC_DUMP_LOST_BLOCKS], 0);
}
END_TEST

START_TEST(sites_without_room_are_lost_until_one_dies) {
    open_tables(1 << 20);
    uint32_t size = 1, site, last = 0;
    for (; (site = site_table_find(5, 0, size)) != 0; size++, last = site)
        site_table_count(site);
    ck_assert_uint_ge(size, (1 << 20) / sizeof *site_table.sites - 1);
    ck_assert_uint_eq(file.header->lost[TRACEMALLOC_DUMP_LOST_BLOCKS], 1);
    site_table_discount(last);
    /* A sweep for dead sites is long, so that not each lost block may begin one. */
    uint32_t tries = 0;
    while ((site = site_table_find(5, 0, size)) == 0)
        ck_assert_uint_lt(tries++, size);
    ck_assert_uint_eq(site, last);
    site_table_count(site);
    ck_assert_uint_eq(tally_of(5, 0)->blocks, size - 1);
}
END_TEST

/* Where nothing can be recycled, an event must not cost a walk over the whole table. */
START_TEST(lost_blocks_cost_little) {
    struct timespec before, after;
    open_tables(64 << 20);
    for (uint32_t size = 1, site; (site = site_table_find(5, 0, size)) != 0; size++)
        site_table_count(site);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    for (uint32_t size = 0; size < 1000; size++)
        ck_assert_uint_eq(site_table_find(6, 0, 1 + size), 0);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    ck_assert_int_le(after.tv_sec - before.tv_sec, 1);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        the_first_domains_are_fixed,
        a_site_is_its_stack_domain_and_size,
        the_empty_stack_counts_too,
        each_stack_at_the_peak_is_exact,
        the_interpreters_own_domains_have_a_peak_of_their_own,
        a_new_peak_before_a_fall,
        recycled_sites_keep_the_counts_right,
        freeze_keeps_what_lived_then,
        frozen_sites_are_not_recycled,
        stacks_without_room_overflow_with_their_sizes,
        sites_without_room_are_lost_until_one_dies,
        lost_blocks_cost_little,
    };
    return suite_run("site_table", tests, sizeof tests / sizeof *tests);
}
