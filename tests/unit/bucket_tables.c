/* SPDX-License-Identifier: MIT */
#include "bucket_tables.h"

#include <check.h>

#include "live_blocks.h"
#include "trace/name_table.h"
#include "trace/bucket_table.h"

static struct dump_file file;

void bucket_tables_open(uint64_t max_size) {
    ck_assert_int_eq(dump_file_open(&file, max_size), 0);
    ck_assert_int_eq(name_table_open(&file), 0);
    ck_assert_int_eq(bucket_table_open(&file), 0);
}

struct dump_file *bucket_tables_file(void) {
    return &file;
}

uint64_t bucket_tables_count(unsigned section) {
    return file.header->sections[section].count;
}

uint64_t bucket_tables_capacity(void) {
    return file.mapped[TRACEMALLOC_DUMP_BUCKETS] / sizeof *bucket_table.buckets;
}

uint32_t bucket_tables_add(uint32_t stack, uint32_t domain, uint64_t size) {
    uint32_t bucket = bucket_table_find(stack, domain, size);
    ck_assert_uint_ne(bucket, 0);
    live_block_count(bucket);
    return bucket;
}

const struct tracemalloc_dump_site *bucket_tables_site(uint32_t stack,
                                                       uint32_t domain) {
    for (uint64_t id = 1; id < bucket_tables_count(TRACEMALLOC_DUMP_SITES); id++)
        if (bucket_table.sites[id].stack == stack &&
            bucket_table.sites[id].domain == domain)
            return &bucket_table.sites[id];
    return NULL;
}

static uint32_t live_at_peak(const struct tracemalloc_dump_bucket *bucket) {
    bool now = live_bytes() > file.header->peak_bytes ||
               dump_history_is_older(bucket->stamp, file.header->peak_number);
    return now ? bucket->live : bucket->peak_live;
}

void bucket_sums_add(struct bucket_sums *sums,
                     const struct tracemalloc_dump_bucket *bucket) {
    uint32_t at_peak = live_at_peak(bucket);
    sums->bytes += bucket->live * bucket->size;
    sums->blocks += bucket->live;
    sums->peak_bytes += at_peak * bucket->size;
    sums->peak_blocks += at_peak;
    sums->total_bytes += bucket->total * bucket->size;
    sums->total_blocks += bucket->total;
}

struct bucket_sums bucket_tables_sums(uint32_t stack, uint32_t domain) {
    const struct tracemalloc_dump_site *site = bucket_tables_site(stack, domain);
    struct bucket_sums sums = {0};
    if (site == NULL)
        return sums;
    sums.total_bytes = site->total_bytes;
    sums.total_blocks = site->total_blocks;
    for (uint64_t id = 1; id < bucket_tables_count(TRACEMALLOC_DUMP_BUCKETS); id++)
        if (bucket_site(bucket_table.buckets + id) == site)
            bucket_sums_add(&sums, bucket_table.buckets + id);
    return sums;
}

uint64_t bucket_tables_peak(void) {
    uint64_t bytes = live_bytes(), peak = file.header->peak_bytes;
    return bytes > peak ? bytes : peak;
}
