/* SPDX-License-Identifier: MIT */
#include "profile/estimate.h"

#include <math.h>

bool estimate_is_needed(const struct dump_reader *reader) {
    for (size_t i = 0; i < reader->process_count; i++)
        if (reader->processes[i].sample_distance != 0)
            return true;
    return false;
}

void estimate_add(struct estimate *sum, const struct dump_reader *reader,
                  const struct tracemalloc_dump_bucket *bucket, uint64_t blocks) {
    uint32_t distance = dump_site_distance(reader, dump_bucket_site(bucket));
    double size = (double)bucket->size, number = (double)blocks;
    /* exp(-size / distance): that a block is not sampled. */
    double missed = distance == 0 || size == 0 ? 0 : exp(-size / (double)distance);
    double sampled = distance == 0 || size == 0 ? 1 : -expm1(-size / (double)distance);
    sum->size += number * size / sampled;
    sum->count += number / sampled;
    sum->variance += number * size * size * missed / (sampled * sampled);
    sum->sampled += blocks;
}

/* One block of s bytes adds s / p to the size, and to the variance that times
 * s (1 - p) / p, which is at most the distance. */
void estimate_add_site(struct estimate *sum, const struct dump_reader *reader,
                       size_t site) {
    const struct tracemalloc_dump_site *entry = &reader->sites[site];
    uint32_t distance = dump_site_distance(reader, site);
    sum->size += (double)entry->total_bytes;
    sum->count += (double)entry->total_blocks;
    sum->variance += (double)entry->total_bytes * (double)distance;
    sum->sampled += distance == 0 ? entry->total_blocks : entry->sampled_blocks;
}

struct weight estimate_round(const struct estimate *sum, size_t key) {
    /* The multiples of the golden ratio are spread evenly over 0 to 1. */
    double part = fmod((double)(key % (1 << 20)) * 0.61803398874989485, 1);
    return (struct weight){
        .size = (uint64_t)(sum->size + part),
        .count = (uint64_t)(sum->count + part),
        .estimated = true,
        .sampled = sum->sampled,
        .variance = sum->variance,
    };
}
