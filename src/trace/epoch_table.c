/* SPDX-License-Identifier: MIT */
#include "trace/epoch_table.h"

#include "base/epoch.h"
#include "trace/bucket_table.h"

static uint64_t count_of(const struct dump_file *dump, unsigned section) {
    return dump->header->sections[section].count;
}

static struct tracemalloc_dump_epoch *epochs_of(const struct dump_file *dump) {
    return (void *)dump->base[TRACEMALLOC_DUMP_EPOCHS];
}

static void halve_births(const struct dump_file *dump) {
    uint64_t buckets = count_of(dump, TRACEMALLOC_DUMP_BUCKETS);
    for (uint64_t id = 1; id < buckets; id++) {
        struct tracemalloc_dump_bucket *bucket = bucket_table.buckets + id;
        bucket_table_begin_epoch(bucket);
        bucket->birth /= 2;
    }
    uint64_t sites = count_of(dump, TRACEMALLOC_DUMP_SITES);
    for (uint64_t id = 0; id < sites; id++)
        dump_history_halve(bucket_table.sites + id);
}

/* The births are in the keys of the buckets, so the index is made anew. */
static void halve(struct dump_file *dump) {
    enum { HALF = TRACEMALLOC_DUMP_MAX_EPOCHS / 2 };
    struct tracemalloc_dump_epoch *epochs = epochs_of(dump);
    halve_births(dump);
    for (unsigned i = 0; i < HALF; i++)
        epochs[i] = epochs[2 * i];
    dump->header->halvings++;
    dump_file_publish(dump, TRACEMALLOC_DUMP_EPOCHS, HALF);
    bucket_table_reclaim();
}

bool epoch_table_begin(struct dump_file *dump, uint64_t start) {
    uint64_t count = count_of(dump, TRACEMALLOC_DUMP_EPOCHS);
    bool full = count == TRACEMALLOC_DUMP_MAX_EPOCHS;
    if (dump->header->finalized != 0 ||
        dump_file_reserve(dump, TRACEMALLOC_DUMP_EPOCHS, count + !full) < 0)
        return false;
    if (full) {
        halve(dump);
        count = count_of(dump, TRACEMALLOC_DUMP_EPOCHS);
    }
    bucket_table.birth = (uint8_t)count;
    bucket_table.created = 0;
    bucket_table.epoch_stamp = ++dump->header->stamp;
    /* A clock may have been put back. */
    if (count > 0 && start < epochs_of(dump)[count - 1].start)
        start = epochs_of(dump)[count - 1].start;
    epochs_of(dump)[count] = (struct tracemalloc_dump_epoch){
        .start = start, .stamp = bucket_table.epoch_stamp};
    dump_file_publish(dump, TRACEMALLOC_DUMP_EPOCHS, count + 1);
    epoch_raise();
    return full;
}
