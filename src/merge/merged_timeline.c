/* SPDX-License-Identifier: MIT */
#include "merge/merged_timeline.h"

#include <errno.h>
#include <stdlib.h>

/* What one process holds from this sample's time on. */
struct change {
    struct tracemalloc_dump_timeline_sample sample;
    size_t part;
};

static uint64_t earliest_start(struct dump_reader *const *parts, size_t count) {
    uint64_t earliest = UINT64_MAX;
    for (size_t i = 0; i < count; i++)
        if (parts[i]->header.start_time < earliest)
            earliest = parts[i]->header.start_time;
    return earliest;
}

static bool has_ended(const struct dump_reader *reader) {
    return reader->header.end_time > reader->header.start_time ||
           reader->state == DUMP_READER_KILLED;
}

/* Nanoseconds since the process's own start; always after its last sample. The end of a
 * killed process is unknown: it is taken to be right after that sample. */
static uint64_t end_time(const struct dump_reader *reader) {
    const struct tracemalloc_dump_header *header = &reader->header;
    uint64_t earliest = reader->timeline[reader->timeline_count - 1].time + 1;
    if (header->end_time <= header->start_time)
        return earliest;
    uint64_t end = header->end_time - header->start_time;
    return end > earliest ? end : earliest;
}

static int add_part(struct array *changes, const struct dump_reader *reader,
                    size_t part, uint64_t later) {
    for (size_t i = 0; i < reader->timeline_count; i++) {
        struct change change = {reader->timeline[i], part};
        change.sample.time += later;
        if (array_append(changes, &change, 1) < 0)
            return -ENOMEM;
    }
    if (reader->timeline_count == 0 || !has_ended(reader))
        return 0;
    struct change end = {.sample.time = end_time(reader) + later, .part = part};
    return array_append(changes, &end, 1) < 0 ? -ENOMEM : 0;
}

static int compare(const void *first, const void *second) {
    const struct change *a = first, *b = second;
    if (a->sample.time != b->sample.time)
        return a->sample.time < b->sample.time ? -1 : 1;
    return (a->part > b->part) - (a->part < b->part);
}

static void replace(struct tracemalloc_dump_timeline_sample *sum,
                    struct tracemalloc_dump_timeline_sample *held,
                    const struct tracemalloc_dump_timeline_sample *now) {
    sum->time = now->time;
    sum->python_bytes += now->python_bytes - held->python_bytes;
    sum->native_bytes += now->native_bytes - held->native_bytes;
    sum->rss_bytes += now->rss_bytes - held->rss_bytes;
    *held = *now;
}

/* The end of the last process is not a sample: an empty heap says nothing. */
static bool is_empty(const struct tracemalloc_dump_timeline_sample *sum) {
    return sum->python_bytes == 0 && sum->native_bytes == 0 && sum->rss_bytes == 0;
}

static int add_sums(struct array *timeline, const struct array *changes,
                    struct tracemalloc_dump_timeline_sample *held) {
    const struct change *all = changes->entries;
    struct tracemalloc_dump_timeline_sample sum = {0};
    for (size_t i = 0; i < changes->count; i++) {
        replace(&sum, &held[all[i].part], &all[i].sample);
        bool last = i + 1 == changes->count;
        if (!last && all[i + 1].sample.time == sum.time)
            continue;
        if (last && is_empty(&sum))
            break;
        if (array_append(timeline, &sum, 1) < 0)
            return -ENOMEM;
    }
    return 0;
}

static uint64_t traced_bytes(const struct tracemalloc_dump_timeline_sample *sample) {
    return sample->python_bytes + sample->native_bytes;
}

/* Keeps the larger sample of each pair, so that no peak is lost. */
static void thin(struct array *timeline) {
    struct tracemalloc_dump_timeline_sample *samples = timeline->entries;
    while (timeline->count > MERGED_TIMELINE_MAX_SAMPLES) {
        timeline->count /= 2;
        for (size_t i = 0; i < timeline->count; i++) {
            const struct tracemalloc_dump_timeline_sample *pair = &samples[2 * i];
            samples[i] = pair[traced_bytes(&pair[1]) > traced_bytes(&pair[0])];
        }
    }
}

int merged_timeline_add(struct array *timeline, struct dump_reader *const *parts,
                        size_t count) {
    struct array changes = {.entry_size = sizeof(struct change)};
    struct tracemalloc_dump_timeline_sample *held = calloc(count, sizeof *held);
    uint64_t start = earliest_start(parts, count);
    int error = held == NULL ? -ENOMEM : 0;
    for (size_t i = 0; i < count && error == 0; i++)
        error = add_part(&changes, parts[i], i, parts[i]->header.start_time - start);
    if (error == 0 && changes.count > 0) {
        qsort(changes.entries, changes.count, sizeof(struct change), compare);
        error = add_sums(timeline, &changes, held);
        thin(timeline);
    }
    free(held);
    free(changes.entries);
    return error;
}
