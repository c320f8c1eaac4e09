/* SPDX-License-Identifier: MIT */
#include "merge/merged_header.h"

#include <stdbool.h>
#include <string.h>

#include "dump/dump_reader.h"

static void add_sums(struct tracemalloc_dump_header *sum,
                     const struct tracemalloc_dump_header *part) {
    sum->peak_bytes += part->peak_bytes;
    sum->python_bytes += part->python_bytes;
    sum->native_bytes += part->native_bytes;
    sum->python_peak_bytes += part->python_peak_bytes;
    sum->arena_bytes += part->arena_bytes;
    sum->tracer_bytes += part->tracer_bytes;
    sum->mapped_resident_bytes += part->mapped_resident_bytes;
    sum->shared_bytes += part->shared_bytes;
    sum->file_size += part->file_size;
    for (int reason = 0; reason < TRACEMALLOC_DUMP_REASONS; reason++)
        sum->lost[reason] += part->lost[reason];
}

static void add_limits(struct tracemalloc_dump_header *sum,
                       const struct tracemalloc_dump_header *part) {
    if (part->nframe < sum->nframe)
        sum->nframe = part->nframe;
    bool fewer = sum->native_nframe == 0 || part->native_nframe < sum->native_nframe;
    if (part->native_nframe > 0 && fewer)
        sum->native_nframe = part->native_nframe;
    if (part->end_time > sum->end_time)
        sum->end_time = part->end_time;
    if (part->loaded_late > sum->loaded_late)
        sum->loaded_late = part->loaded_late;
    if (part->oom_killed > sum->oom_killed)
        sum->oom_killed = part->oom_killed;
    sum->finalized |= part->finalized;
    sum->foreign |= part->foreign;
    if (sum->growth == TRACEMALLOC_DUMP_GROWTH_GOOD) {
        sum->growth = part->growth;
        sum->growth_error = part->growth_error;
    }
}

static void add_census(struct tracemalloc_dump_header *sum,
                       const struct tracemalloc_dump_header *part) {
    sum->census_unread += part->census_unread;
    if (part->census_time > sum->census_time)
        sum->census_time = part->census_time;
    if (part->census_duration > sum->census_duration)
        sum->census_duration = part->census_duration;
}

/* Keeps what all processes have in common. */
static void add_library(struct tracemalloc_dump_header *sum,
                        const struct tracemalloc_dump_header *part) {
    if (strcmp(sum->library_version, part->library_version) != 0)
        memset(sum->library_version, 0, sizeof sum->library_version);
    if (strcmp(sum->library_build, part->library_build) != 0)
        memset(sum->library_build, 0, sizeof sum->library_build);
    if (strcmp(sum->library_machine, part->library_machine) != 0)
        memset(sum->library_machine, 0, sizeof sum->library_machine);
}

void merged_header_begin(struct dump_reader *out, const struct dump_reader *first) {
    struct tracemalloc_dump_header sums = {0};
    struct tracemalloc_dump_header *header = &out->header;
    *header = first->header;
    memcpy(header->lost, sums.lost, sizeof header->lost);
    memcpy(header->sections, sums.sections, sizeof header->sections);
    header->python_bytes = header->native_bytes = 0;
    header->peak_bytes = header->python_peak_bytes = 0;
    header->arena_bytes = header->tracer_bytes = header->file_size = 0;
    header->mapped_resident_bytes = header->shared_bytes = 0;
    header->request_signal = 0;
    header->census_time = header->census_duration = header->census_unread = 0;
    header->census_number = 0;
    header->census_running = header->census_refused = 0;
    header->nearest_used = header->nearest_limit = header->reached_bytes = 0;
    header->nearest_source = header->reached_percent = 0;
    out->state = first->state;
    if (dump_reader_may_run(first))
        out->state = header->state = TRACEMALLOC_DUMP_SNAPSHOT;
}

void merged_header_add(struct tracemalloc_dump_header *sum,
                       const struct tracemalloc_dump_header *part) {
    add_sums(sum, part);
    add_limits(sum, part);
    add_census(sum, part);
    add_library(sum, part);
}
