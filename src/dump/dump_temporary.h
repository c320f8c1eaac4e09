/* SPDX-License-Identifier: MIT */
/* The number of temporary blocks in a bucket: 24 bits, beside its birth.
 *
 *   bits 0 to 7   birth      a word of 32 bits, which one instruction counts up
 *   bits 8 to 31  temporary
 *
 * Pure; the traced process writes it under the tracer's lock, or with one thread.
 */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "tracemalloc_dump.h"

static_assert(offsetof(struct tracemalloc_dump_bucket, temporary) ==
                      offsetof(struct tracemalloc_dump_bucket, birth) + 1 &&
                  offsetof(struct tracemalloc_dump_bucket, birth) % 4 == 0,
              "both are one word");

enum { DUMP_TEMPORARY_LIMIT = 1 << 24 };

static always_inline uint32_t
dump_temporary_get(const struct tracemalloc_dump_bucket *bucket) {
    uint32_t word;
    __builtin_memcpy(&word, &bucket->birth, sizeof word);
    return word >> 8;
}

/* Counts one more. True: the count was the highest, and is 0 now. */
static always_inline bool dump_temporary_add(struct tracemalloc_dump_bucket *bucket) {
    uint32_t word;
    __builtin_memcpy(&word, &bucket->birth, sizeof word);
    bool wraps = __builtin_add_overflow(word, (uint32_t)1 << 8, &word);
    __builtin_memcpy(&bucket->birth, &word, sizeof word);
    return wraps;
}

/* Counts one more; false, with nothing changed, if the count is the highest. */
static always_inline bool
dump_temporary_try_add(struct tracemalloc_dump_bucket *bucket) {
    uint32_t word;
    __builtin_memcpy(&word, &bucket->birth, sizeof word);
    if (unlikely(__builtin_add_overflow(word, (uint32_t)1 << 8, &word)))
        return false;
    __builtin_memcpy(&bucket->birth, &word, sizeof word);
    return true;
}

static inline void dump_temporary_clear(struct tracemalloc_dump_bucket *bucket) {
    __builtin_memset(bucket->temporary, 0, sizeof bucket->temporary);
}

/* Adds blocks of the bucket to the sum of its site. */
static always_inline void
dump_temporary_fold(struct tracemalloc_dump_site *site,
                    const struct tracemalloc_dump_bucket *bucket, uint64_t blocks) {
    site->temporary_blocks += blocks;
    site->temporary_bytes += blocks * bucket->size;
}
