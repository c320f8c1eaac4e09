/* SPDX-License-Identifier: MIT */
#include "trace/tables_valid.h"

#include "trace/block_map.h"
#include "trace/bucket_table.h"

struct sums {
    uint64_t python_bytes, native_bytes, peak_bytes;
    uint64_t live_blocks, slots;
};

static uint64_t count_of(const struct dump_file *dump, unsigned section) {
    return dump->header->sections[section].count;
}

static bool stacks_are_valid(const struct dump_file *dump) {
    const struct tracemalloc_dump_stack *stacks =
        (const void *)dump->base[TRACEMALLOC_DUMP_STACKS];
    uint64_t count = count_of(dump, TRACEMALLOC_DUMP_STACKS);
    for (uint64_t id = 1; id < count; id++)
        if (stacks[id].parent >= id)
            return false;
    return true;
}

static bool sites_are_valid(const struct dump_file *dump) {
    uint64_t count = count_of(dump, TRACEMALLOC_DUMP_SITES);
    for (uint64_t id = 0; id < count; id++)
        if (bucket_table.sites[id].domain >= count_of(dump, TRACEMALLOC_DUMP_DOMAINS))
            return false;
    return true;
}

/* Sums up all buckets. False if one names a site that does not exist. */
static bool add_buckets(const struct dump_file *dump, struct sums *sums) {
    uint64_t count = count_of(dump, TRACEMALLOC_DUMP_BUCKETS);
    for (uint64_t id = 1; id < count; id++) {
        const struct tracemalloc_dump_bucket *bucket = bucket_table.buckets + id;
        uint32_t site = bucket->site & ~TRACEMALLOC_DUMP_NOT_PYTHON;
        if (site >= count_of(dump, TRACEMALLOC_DUMP_SITES))
            return false;
        uint64_t each = sample_weight(bucket->size, bucket_distance(bucket));
        uint64_t bytes = bucket->live * each;
        if (is_python(bucket_table.sites[site].domain))
            sums->python_bytes += bytes;
        else
            sums->native_bytes += bytes;
        sums->live_blocks += bucket->live;
        sums->peak_bytes += dump_bucket_peak(dump->header, bucket) * each;
    }
    return true;
}

static bool add_slot(uint32_t slot, struct sums *sums) {
    uint32_t id = slot & BLOCK_MAP_BUCKET;
    if (id == 0)
        return true;
    sums->slots++;
    return id < bucket_table.header->sections[TRACEMALLOC_DUMP_BUCKETS].count &&
           bucket_table.buckets[id].live > 0;
}

static bool add_slots(uintptr_t address, const uint32_t *slots, unsigned count,
                      void *context) {
    (void)address;
    for (unsigned i = 0; i < count; i++)
        if (!add_slot(slots[i], context))
            return false;
    return true;
}

bool tables_are_valid(const struct dump_file *dump) {
    const struct tracemalloc_dump_header *header = dump->header;
    struct sums sums = {0};
    if (!stacks_are_valid(dump) || !sites_are_valid(dump) ||
        !add_buckets(dump, &sums) || !block_map_visit(add_slots, &sums))
        return false;
    uint64_t bytes = sums.python_bytes + sums.native_bytes;
    uint64_t peak = bytes > header->peak_bytes ? bytes : header->peak_bytes;
    return sums.slots <= sums.live_blocks &&
           sums.python_bytes == header->python_bytes &&
           sums.native_bytes == header->native_bytes &&
           (bytes > header->peak_bytes || sums.peak_bytes == header->peak_bytes) &&
           header->python_peak_bytes <= peak;
}
