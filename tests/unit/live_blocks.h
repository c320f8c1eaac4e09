/* SPDX-License-Identifier: MIT */
/* What the tables of buckets count as live, for tests of what counts there. One
 * thread. */
#pragma once

#include <check.h>

#include "trace/live_block.h"

/* The guard of a process of one thread, which a test is. */
static const struct event_guard alone = {NULL, false};

static inline uint64_t live_blocks(void) {
    uint64_t buckets = bucket_table.header->sections[TRACEMALLOC_DUMP_BUCKETS].count,
             sum = 0;
    for (uint64_t id = 1; id < buckets; id++)
        sum += bucket_table.buckets[id].live;
    return sum;
}

static inline uint64_t live_bytes(void) {
    return bucket_table.header->python_bytes + bucket_table.header->native_bytes;
}

static inline void live_expect(uint64_t blocks, uint64_t bytes) {
    ck_assert_uint_eq(live_blocks(), blocks);
    ck_assert_uint_eq(live_bytes(), bytes);
}
