/* SPDX-License-Identifier: MIT */
#include "trace/block_count.h"

#include "trace/live_block.h"

static uint64_t bytes_beyond_its_own(const struct tracemalloc_dump_bucket *bucket) {
    return sample_weight(bucket->size, bucket_distance(bucket)) - bucket->size;
}

void block_count_add(uint32_t id) {
    if (id == 0)
        return;
    const struct tracemalloc_dump_bucket *bucket = bucket_at(id);
    live_block_count(id);
    live_block_add_bytes(bucket, bytes_beyond_its_own(bucket));
}

/* The peak that ends here is noted before the bytes fall. */
void block_count_remove(uint32_t id) {
    if (id == 0)
        return;
    const struct tracemalloc_dump_bucket *bucket = bucket_at(id);
    live_block_uncount(id);
    live_block_subtract_bytes(bucket, bytes_beyond_its_own(bucket));
}
