/* SPDX-License-Identifier: MIT */
/* What the tables of sites count as live, for tests of what counts there. One
 * thread. */
#pragma once

#include <check.h>

#include "trace/site_table.h"

static inline uint64_t live_blocks(void) {
    uint64_t sites = site_table.header->sections[TRACEMALLOC_DUMP_SITES].count, sum = 0;
    for (uint64_t id = 1; id < sites; id++)
        sum += site_table.sites[id].live;
    return sum;
}

static inline uint64_t live_bytes(void) {
    return site_table.header->python_bytes + site_table.header->native_bytes;
}

static inline void live_expect(uint64_t blocks, uint64_t bytes) {
    ck_assert_uint_eq(live_blocks(), blocks);
    ck_assert_uint_eq(live_bytes(), bytes);
}
