/* SPDX-License-Identifier: MIT */
/* Writes a pickled tracemalloc.Snapshot for the standard library's Snapshot.load.
 *
 *   Snapshot  .traceback_limit = int
 *             .traces = _Traces  ._traces = [trace, ...]   one for each block
 *   trace     (domain, size, frames), and total_nframe as a fourth since Python 3.9
 *   frames    ((filename, lineno), ...)   innermost frame first
 *
 * Names, frames and tracebacks are written once and memoized. Of a sampled dump there
 * are as many traces as blocks are estimated. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "collection/array.h"
#include "collection/id_map.h"
#include "export/exporter.h"
#include "export/pickle_writer.h"
#include "profile/profile.h"
#include "profile/stack_index.h"

/* Python would need gigabytes to load more, and a small damaged file must not lead to a
 * huge export. */
static const uint64_t max_blocks = (uint64_t)1 << 26;
static const uint64_t max_frames = (uint64_t)1 << 28;

enum { VERSION_WITH_TOTAL_NFRAME = 0x03090000, BATCH = 1000 };

/* Numbers of memoized objects plus 1; 0 if not yet memoized. */
struct snapshot {
    struct pickle_writer pickle;
    enum profile_point point;
    const struct profile *profile;
    struct stack_index index;
    bool with_total;
    uint32_t *names;  /* by name */
    uint32_t *stacks; /* by stack */
    struct id_map frame_ids;
    uint32_t *frames; /* by id of frame */
    size_t frame_room;
    unsigned batched; /* traces since the last mark */
};

static void write_name(struct snapshot *snapshot, uint32_t name) {
    if (snapshot->names[name] != 0) {
        pickle_writer_get(&snapshot->pickle, snapshot->names[name] - 1);
        return;
    }
    pickle_writer_text(&snapshot->pickle, snapshot->profile->names->texts[name]);
    snapshot->names[name] = pickle_writer_memoize(&snapshot->pickle) + 1;
}

static int write_frame(struct snapshot *snapshot, struct frame frame) {
    struct pickle_writer *pickle = &snapshot->pickle;
    size_t known = snapshot->frame_ids.count;
    int64_t id =
        id_map_add(&snapshot->frame_ids, (struct id_pair){frame.name, frame.line});
    if (id < 0)
        return (int)id;
    if ((size_t)id < known) {
        pickle_writer_get(pickle, snapshot->frames[id]);
        return 0;
    }
    if (array_reserve(&snapshot->frames, &snapshot->frame_room, (size_t)id + 1,
                      sizeof *snapshot->frames) < 0)
        return -ENOMEM;
    write_name(snapshot, frame.name);
    pickle_writer_integer(pickle, frame.line);
    pickle_writer_put(pickle, PICKLE_TUPLE2);
    snapshot->frames[id] = pickle_writer_memoize(pickle);
    return 0;
}

static int write_window(struct snapshot *snapshot, uint32_t stack) {
    uint32_t window = stack_index_window(&snapshot->index, stack);
    pickle_writer_put(&snapshot->pickle, PICKLE_MARK);
    for (uint32_t left = window; left > 0; left--) {
        int error = write_frame(snapshot, profile_frame(snapshot->profile, stack));
        if (error < 0)
            return error;
        stack = snapshot->profile->reader->stacks[stack].parent;
    }
    pickle_writer_put(&snapshot->pickle, PICKLE_TUPLE);
    return 0;
}

static int write_traceback(struct snapshot *snapshot, uint32_t stack) {
    if (snapshot->stacks[stack] != 0) {
        pickle_writer_get(&snapshot->pickle, snapshot->stacks[stack] - 1);
        return 0;
    }
    int error = write_window(snapshot, stack);
    if (error < 0)
        return error;
    snapshot->stacks[stack] = pickle_writer_memoize(&snapshot->pickle) + 1;
    return 0;
}

static int write_trace(struct snapshot *snapshot,
                       const struct tracemalloc_dump_bucket *bucket) {
    const struct dump_reader *reader = snapshot->profile->reader;
    const struct tracemalloc_dump_site *site = &reader->sites[dump_bucket_site(bucket)];
    struct pickle_writer *pickle = &snapshot->pickle;
    if (snapshot->with_total)
        pickle_writer_put(pickle, PICKLE_MARK);
    pickle_writer_integer(pickle, reader->domains[site->domain].number);
    pickle_writer_integer(pickle, bucket->size);
    int error = write_traceback(snapshot, site->stack);
    if (error < 0)
        return error;
    if (snapshot->with_total) {
        uint32_t depth = snapshot->index.depths[site->stack];
        pickle_writer_integer(pickle, depth > 0 ? depth : 1);
    }
    pickle_writer_put(pickle, snapshot->with_total ? PICKLE_TUPLE : PICKLE_TUPLE3);
    return 0;
}

/* Ends a batch, because everything since the mark is on the stack of the unpickler. */
static void count_trace(struct snapshot *snapshot) {
    if (++snapshot->batched < BATCH)
        return;
    pickle_writer_put(&snapshot->pickle, PICKLE_APPENDS);
    pickle_writer_put(&snapshot->pickle, PICKLE_MARK);
    snapshot->batched = 0;
}

static int write_blocks(struct snapshot *snapshot,
                        const struct tracemalloc_dump_bucket *bucket, uint64_t count) {
    int error = write_trace(snapshot, bucket);
    if (error < 0)
        return error;
    uint32_t number = count > 1 ? pickle_writer_memoize(&snapshot->pickle) : 0;
    count_trace(snapshot);
    for (uint64_t i = 1; i < count; i++) {
        pickle_writer_get(&snapshot->pickle, number);
        count_trace(snapshot);
    }
    return 0;
}

/* The weight is 0 if the filter excludes the site. */
static int write_traces(struct snapshot *snapshot) {
    const struct dump_reader *reader = snapshot->profile->reader;
    pickle_writer_put(&snapshot->pickle, PICKLE_EMPTY_LIST);
    pickle_writer_put(&snapshot->pickle, PICKLE_MARK);
    for (size_t i = 0; i < reader->bucket_count; i++) {
        const struct tracemalloc_dump_bucket *bucket = &reader->buckets[i];
        uint64_t count = profile_bucket_weight(reader, bucket, snapshot->point).count;
        if (count == 0 || snapshot->profile->sites[dump_bucket_site(bucket)].count == 0)
            continue;
        int error = write_blocks(snapshot, bucket, count);
        if (error < 0)
            return error;
    }
    pickle_writer_put(&snapshot->pickle, PICKLE_APPENDS);
    return 0;
}

/* Writes an object of a class of the module; its state, a dict, is written next. */
static void begin_object(struct pickle_writer *pickle, const char *class_name) {
    pickle_writer_word(pickle, "tracemalloc");
    pickle_writer_word(pickle, class_name);
    pickle_writer_put(pickle, PICKLE_STACK_GLOBAL);
    pickle_writer_put(pickle, PICKLE_EMPTY_TUPLE);
    pickle_writer_put(pickle, PICKLE_NEWOBJ);
    pickle_writer_put(pickle, PICKLE_EMPTY_DICT);
    pickle_writer_put(pickle, PICKLE_MARK);
}

static void end_object(struct pickle_writer *pickle) {
    pickle_writer_put(pickle, PICKLE_SETITEMS);
    pickle_writer_put(pickle, PICKLE_BUILD);
}

static int write_snapshot(struct snapshot *snapshot, FILE *out) {
    struct pickle_writer *pickle = &snapshot->pickle;
    pickle_writer_begin(pickle, out);
    begin_object(pickle, "Snapshot");
    pickle_writer_word(pickle, "traceback_limit");
    pickle_writer_integer(pickle, snapshot->profile->reader->header.nframe);
    pickle_writer_word(pickle, "traces");
    begin_object(pickle, "_Traces");
    pickle_writer_word(pickle, "_traces");
    int error = write_traces(snapshot);
    end_object(pickle);
    end_object(pickle);
    pickle_writer_end(pickle);
    return error;
}

/* Counts the frames that would be written; those of a stack count once for each of its
 * domains. */
static int check_size(const struct snapshot *snapshot) {
    const struct dump_reader *reader = snapshot->profile->reader;
    uint64_t frames = 0;
    if (snapshot->profile->total.count > max_blocks)
        return -EFBIG;
    for (size_t i = 0; i < reader->site_count; i++)
        if (snapshot->profile->sites[i].count > 0)
            frames += stack_index_window(&snapshot->index, reader->sites[i].stack);
    return frames > max_frames ? -EFBIG : 0;
}

static int prepare(struct snapshot *snapshot) {
    const struct profile *profile = snapshot->profile;
    int error = stack_index_open(&snapshot->index, profile);
    if (error == 0)
        error = check_size(snapshot);
    if (error < 0)
        return error;
    snapshot->names = calloc(profile->names->count, sizeof *snapshot->names);
    snapshot->stacks = calloc(profile->reader->stack_count, sizeof *snapshot->stacks);
    return snapshot->names == NULL || snapshot->stacks == NULL ? -ENOMEM : 0;
}

static void release(struct snapshot *snapshot) {
    stack_index_close(&snapshot->index);
    id_map_clear(&snapshot->frame_ids);
    free(snapshot->names);
    free(snapshot->stacks);
    free(snapshot->frames);
}

static bool reads_total(const struct export_input *input) {
    uint32_t version = input->python_version;
    if (version == 0)
        version = input->reader->header.python_version;
    return version == 0 || version >= VERSION_WITH_TOTAL_NFRAME;
}

static int write_file(struct export_input *input, FILE *out) {
    struct snapshot snapshot = {
        .point = input->point,
        .profile = &input->shown,
        .with_total = reads_total(input),
    };
    int error = prepare(&snapshot);
    if (error == 0)
        error = write_snapshot(&snapshot, out);
    release(&snapshot);
    return error;
}

const struct exporter export_snapshot = {
    .name = "snapshot",
    .extension = "snapshot",
    .summary = "a pickle for Python's tracemalloc.Snapshot.load",
    .only_python = true,
    .by_block = true,
    .write = write_file,
};
