/* SPDX-License-Identifier: MIT */
#include "leak/leak_history.h"

#include <errno.h>
#include <stdlib.h>

#include "dump/sample_weight.h"
#include "profile/last_epoch.h"

enum { FLOAT_SIZE = 24 };

int leak_buckets_open(struct leak_buckets *buckets, const struct dump_reader *reader) {
    *buckets = (struct leak_buckets){
        .reader = reader,
        .order = calloc(reader->bucket_count + 1, sizeof *buckets->order),
        .first = calloc(reader->site_count + 2, sizeof *buckets->first),
    };
    if (buckets->order == NULL || buckets->first == NULL)
        return -ENOMEM;
    uint32_t *next = buckets->first + 1;
    for (size_t i = 0; i < reader->bucket_count; i++)
        next[dump_bucket_site(&reader->buckets[i])]++;
    for (size_t site = 1; site <= reader->site_count; site++)
        next[site] += next[site - 1];
    /* Each site's end moves down to its beginning. */
    for (size_t i = reader->bucket_count; i > 0; i--) {
        uint32_t site = dump_bucket_site(&reader->buckets[i - 1]);
        buckets->order[--next[site]] = (uint32_t)(i - 1);
    }
    for (size_t site = 0; site < reader->site_count; site++)
        buckets->first[site] = next[site];
    buckets->first[reader->site_count] = (uint32_t)reader->bucket_count;
    return 0;
}

void leak_buckets_close(struct leak_buckets *buckets) {
    free(buckets->order);
    free(buckets->first);
    *buckets = (struct leak_buckets){0};
}

struct site_reader {
    struct tracemalloc_dump_site site;
    struct dump_epochs epochs;
    uint32_t distance; /* of samples */
    bool finalized;
    double estimated; /* blocks ever allocated; recorded is what was sampled of them */
    uint64_t recorded;
};

static void add_bucket(struct leak_history *history, struct site_reader *reader,
                       const struct tracemalloc_dump_bucket *bucket) {
    uint32_t live = reader->finalized ? bucket->at_exit : bucket->live;
    unsigned birth = bucket->birth % TRACEMALLOC_DUMP_MAX_EPOCHS;
    uint64_t weight = sample_weight(bucket->size, reader->distance);
    if (bucket->size == FLOAT_SIZE) {
        history->float_bytes += live * weight;
        live = history->ignores_floats ? 0 : live;
    }
    history->blocks[birth] += live;
    history->bytes[birth] += live * weight;
    reader->recorded += bucket->total;
    double each = bucket->size > 0 ? (double)weight / (double)bucket->size : 1;
    reader->estimated += (double)bucket->total * each;
    history->alive[birth] += live * each;
    if (!reader->finalized)
        dump_history_add(&reader->site, bucket, reader->distance,
                         dump_history_epoch(reader->epochs, bucket->stamp));
}

void leak_history_add_site(struct leak_history *history,
                           const struct leak_buckets *buckets, uint32_t id) {
    const struct dump_reader *reader = buckets->reader;
    const struct tracemalloc_dump_site *own = &reader->sites[id];
    struct site_reader site = {
        .site = *own,
        .epochs = dump_reader_epochs(reader, own->process),
        .distance = dump_site_distance(reader, id),
        .finalized = reader->header.finalized != 0,
    };
    site.estimated = (double)own->total_blocks;
    site.recorded = site.distance != 0 ? own->sampled_blocks : own->total_blocks;
    for (uint32_t i = buckets->first[id]; i < buckets->first[id + 1]; i++)
        add_bucket(history, &site, &reader->buckets[buckets->order[i]]);
    for (unsigned i = 0; i < TRACEMALLOC_DUMP_AGES; i++)
        history->freed_late[i] += site.site.freed_late[i];
    for (unsigned i = 0; i < TRACEMALLOC_DUMP_WINDOWS; i++)
        history->risen[i] += site.site.risen[i] * ((int64_t)1 << site.site.risen_unit);
    history->total_blocks += site.recorded;
    history->estimated_blocks += site.estimated;
    history->is_sampled |= site.distance != 0;
}

void leak_time_open(struct leak_time *time, const struct dump_reader *reader,
                    uint32_t process) {
    struct dump_epochs epochs = dump_reader_epochs(reader, process);
    time->count = (unsigned)epochs.count;
    for (unsigned i = 0; i < time->count; i++)
        time->starts[i] = epochs.entries[i].start;
    if (time->count > 0)
        time->starts[time->count] = last_epoch_end(reader, process, epochs);
}

double leak_time_span(const struct leak_time *time, unsigned epochs) {
    if (time->count == 0)
        return 0;
    return leak_time_between(time, 0, time->count) / time->count * epochs;
}

double leak_time_between(const struct leak_time *time, unsigned first, unsigned end) {
    double seconds = (double)(time->starts[end] - time->starts[first]) / 1e9;
    return seconds > 0.001 ? seconds : 0.001;
}
