/* SPDX-License-Identifier: MIT */
#include "site_tables.h"

#include <check.h>

#include "live_blocks.h"
#include "trace/name_table.h"
#include "trace/site_table.h"

static struct dump_file file;

void site_tables_open(uint64_t max_size) {
    ck_assert_int_eq(dump_file_open(&file, max_size), 0);
    ck_assert_int_eq(name_table_open(&file), 0);
    ck_assert_int_eq(site_table_open(&file), 0);
}

uint64_t site_tables_count(unsigned section) {
    return file.header->sections[section].count;
}

uint64_t site_tables_room(void) {
    return file.mapped[TRACEMALLOC_DUMP_SITES] / sizeof *site_table.sites;
}

uint32_t site_tables_add(uint32_t stack, uint32_t domain, uint64_t size) {
    uint32_t site = site_table_find(stack, domain, size);
    ck_assert_uint_ne(site, 0);
    site_table_count(site);
    return site;
}

const struct tracemalloc_dump_tally *site_tables_tally(uint32_t stack,
                                                       uint32_t domain) {
    for (uint64_t id = 1; id < site_tables_count(TRACEMALLOC_DUMP_TALLIES); id++)
        if (site_table.tallies[id].stack == stack &&
            site_table.tallies[id].domain == domain)
            return &site_table.tallies[id];
    return NULL;
}

static uint32_t live_at_peak(const struct tracemalloc_dump_site *site) {
    bool now = live_bytes() > file.header->peak_bytes ||
               site->peak_number != file.header->peak_number;
    return now ? site->live : site->peak_live;
}

void site_sums_add(struct site_sums *sums, const struct tracemalloc_dump_site *site) {
    uint32_t at_peak = live_at_peak(site);
    sums->bytes += site->live * site->size;
    sums->blocks += site->live;
    sums->peak_bytes += at_peak * site->size;
    sums->peak_blocks += at_peak;
    sums->total_bytes += site->total * site->size;
    sums->total_blocks += site->total;
}

struct site_sums site_tables_sums(uint32_t stack, uint32_t domain) {
    const struct tracemalloc_dump_tally *tally = site_tables_tally(stack, domain);
    struct site_sums sums = {0};
    if (tally == NULL)
        return sums;
    sums.total_bytes = tally->total_bytes;
    sums.total_blocks = tally->total_blocks;
    for (uint64_t id = 1; id < site_tables_count(TRACEMALLOC_DUMP_SITES); id++)
        if (site_tally(site_table.sites + id) == tally)
            site_sums_add(&sums, site_table.sites + id);
    return sums;
}

uint64_t site_tables_peak(void) {
    uint64_t bytes = live_bytes(), peak = file.header->peak_bytes;
    return bytes > peak ? bytes : peak;
}
