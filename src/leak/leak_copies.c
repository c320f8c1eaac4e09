/* SPDX-License-Identifier: MIT */
#include "leak/leak_copies.h"

#include <errno.h>
#include <stdlib.h>

#include "collection/array.h"
#include "leak/leak_path.h"
#include "leak/rss_trend.h"

static bool has_process(const struct dump_reader *reader,
                        const struct tracemalloc_dump_process *process) {
    for (size_t i = 0; i < reader->process_count; i++)
        if (reader->processes[i].pid == process->pid &&
            reader->processes[i].start_time == process->start_time)
            return true;
    return false;
}

bool leak_copies_contain(const struct dump_reader *reader,
                         const struct dump_reader *part) {
    for (size_t i = 0; i < part->process_count; i++)
        if (!has_process(reader, &part->processes[i]))
            return false;
    return true;
}

bool leak_copies_match(const struct dump_reader *first,
                       const struct dump_reader *second) {
    return first->process_count == second->process_count &&
           leak_copies_contain(second, first);
}

uint64_t leak_copies_time(const struct dump_reader *reader) {
    size_t count = reader->timeline_count;
    uint64_t seen = count > 0 ? reader->timeline[count - 1].time : 0;
    uint64_t last = reader->header.start_time + seen, end = reader->header.end_time;
    return end > last ? end : last;
}

/* The change of a line, a new one if there is none yet; NULL if memory runs out. */
static struct leak_change *find_change(struct leak_copies *copies, struct frame frame) {
    int64_t id = id_map_add(&copies->frames, (struct id_pair){frame.name, frame.line});
    if (id < 0 || array_reserve(&copies->changes, &copies->capacity, (size_t)id + 1,
                                sizeof *copies->changes) < 0)
        return NULL;
    if ((size_t)id == copies->count)
        copies->changes[copies->count++] = (struct leak_change){.frame = frame};
    return &copies->changes[id];
}

static void add_weight(struct leak_change *change, struct weight weight, int sign) {
    change->bytes += sign * (int64_t)weight.size;
    change->blocks += sign * (int64_t)weight.count;
}

static int add_copy(struct leak_copies *copies, const struct profile *profile,
                    int sign) {
    const struct dump_reader *reader = profile->reader;
    struct leak_paths paths;
    int error = leak_paths_open(&paths, profile);
    for (size_t i = 0; i < reader->site_count && error == 0; i++) {
        uint32_t path = paths.stacks[reader->sites[i].stack];
        add_weight(&copies->total, profile->sites[i], sign);
        if (profile->sites[i].count == 0 || path == 0)
            continue;
        struct leak_change *change =
            find_change(copies, leak_path_name(&paths, leak_path_frame(&paths, path)));
        if (change == NULL)
            error = -ENOMEM;
        else
            add_weight(change, profile->sites[i], sign);
    }
    leak_paths_close(&paths);
    return error;
}

static int compare(const void *first, const void *second) {
    const struct leak_change *a = first, *b = second;
    if (a->bytes != b->bytes)
        return a->bytes < b->bytes ? 1 : -1;
    return (a->blocks < b->blocks) - (a->blocks > b->blocks);
}

static uint64_t rss_of(const struct dump_reader *reader) {
    struct rss_trend trend;
    rss_trend_find(&trend, reader);
    return trend.bytes;
}

int leak_copies_open(struct leak_copies *copies, const struct profile *earlier,
                     const struct profile *later) {
    const struct dump_reader *first = earlier->reader, *second = later->reader;
    *copies = (struct leak_copies){
        .pid = second->header.pid,
        .seconds = (double)(leak_copies_time(second) - leak_copies_time(first)) / 1e9,
        .rss_bytes = (int64_t)(rss_of(second) - rss_of(first)),
    };
    int error = add_copy(copies, earlier, -1);
    if (error == 0)
        error = add_copy(copies, later, 1);
    if (copies->count > 0)
        qsort(copies->changes, copies->count, sizeof *copies->changes, compare);
    return error;
}

void leak_copies_close(struct leak_copies *copies) {
    free(copies->changes);
    id_map_clear(&copies->frames);
    *copies = (struct leak_copies){0};
}
