/* SPDX-License-Identifier: MIT */
/* The table of buckets by itself, and what a reader would say of it. For tests; one
 * thread; what fails ends the test.
 */
#pragma once

#include <stdint.h>

#include "dump/dump_file.h"
#include "tracemalloc_dump.h"

/* What a stack holds in a domain. */
struct bucket_sums {
    uint64_t bytes, blocks, peak_bytes, peak_blocks, total_bytes, total_blocks;
};

/* Begins a dump of that size; there is one. */
void bucket_tables_open(uint64_t max_size);

struct dump_file *bucket_tables_file(void);

/* Entries of a section. */
uint64_t bucket_tables_count(unsigned section);

/* Buckets that there is room for without growth. */
uint64_t bucket_tables_capacity(void);

/* A block more; its bucket. */
uint32_t bucket_tables_add(uint32_t stack, uint32_t domain, uint64_t size);

/* NULL when there is none. */
const struct tracemalloc_dump_site *bucket_tables_site(uint32_t stack, uint32_t domain);

/* Peaks are found as the format tells readers to do it. */
void bucket_sums_add(struct bucket_sums *sums,
                     const struct tracemalloc_dump_bucket *bucket);
struct bucket_sums bucket_tables_sums(uint32_t stack, uint32_t domain);
uint64_t bucket_tables_peak(void);
