/* SPDX-License-Identifier: MIT */
/* The table of sites by itself, and what a reader would say of it. For tests; one
 * thread; what fails ends the test.
 */
#pragma once

#include <stdint.h>

#include "tracemalloc_dump.h"

/* What a stack holds in a domain. */
struct site_sums {
    uint64_t bytes, blocks, peak_bytes, peak_blocks, total_bytes, total_blocks;
};

/* Begins a dump of that size; there is one. */
void site_tables_open(uint64_t max_size);

/* Entries of a section. */
uint64_t site_tables_count(unsigned section);

/* Sites that there is room for without growth. */
uint64_t site_tables_room(void);

/* A block more; its site. */
uint32_t site_tables_add(uint32_t stack, uint32_t domain, uint64_t size);

/* NULL when there is none. */
const struct tracemalloc_dump_tally *site_tables_tally(uint32_t stack, uint32_t domain);

/* Peaks are found as the format tells readers to do it. */
void site_sums_add(struct site_sums *sums, const struct tracemalloc_dump_site *site);
struct site_sums site_tables_sums(uint32_t stack, uint32_t domain);
uint64_t site_tables_peak(void);
