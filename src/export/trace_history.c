/* SPDX-License-Identifier: MIT */
#include "export/trace_history.h"

#include <errno.h>
#include <stdlib.h>

#include "base/hash.h"
#include "collection/array.h"

enum { MIN_FORGOTTEN = 1024 }; /* fewer are not worth a pass */

void trace_history_begin(struct trace_history *history, uint64_t time) {
    history->reading++;
    history->pending_until = time;
}

static uint64_t hash_text(struct dump_text text) {
    return hash_bytes(text.bytes, text.length, 0);
}

static uint64_t *hash_frames(const struct trace_table *table) {
    size_t count = table->frames.ids.count;
    uint64_t *hashes = calloc(count + 1, sizeof *hashes);
    for (size_t i = 0; hashes != NULL && i < count; i++) {
        const struct named_frame *frame = &table->frames.frames[i];
        uint64_t hash =
            hash_pair(hash_text(frame_table_filename(&table->frames, frame)),
                      hash_text(frame_table_function(&table->frames, frame)));
        hashes[i] = hash_pair(hash_pair(hash, frame->line), frame->address);
    }
    return hashes;
}

static uint64_t hash_context(const struct trace_table *table,
                             const struct trace *trace) {
    const struct trace_context *context = &table->contexts[trace->context];
    const struct tracemalloc_dump_process *process =
        &table->input->reader->processes[context->process];
    uint64_t hash = hash_pair(process->pid, process->start_time);
    hash = hash_pair(hash, trace_table_domain(table, trace));
    return hash_pair(hash, hash_text(table->frames.names->texts[context->thread]));
}

static struct id_pair hash_trace(struct trace_table *table, const struct trace *trace,
                                 const uint64_t *frames) {
    uint32_t count;
    const uint32_t *window = trace_table_window(table, trace, &count);
    uint64_t context = hash_context(table, trace);
    struct id_pair pair = {context, hash_pair(context, count)};
    for (uint32_t i = 0; i < count; i++) {
        pair.first = hash_pair(pair.first, frames[window[i]]);
        pair.second = hash_pair(frames[window[i]], pair.second);
    }
    return pair;
}

static int apply(struct trace_history *history, struct trace *trace,
                 struct id_pair pair) {
    size_t known = history->ids.count;
    if (array_reserve(&history->records, &history->capacity, known + 1,
                      sizeof *history->records) < 0)
        return -ENOMEM;
    int64_t id = id_map_add(&history->ids, pair);
    if (id < 0)
        return (int)id;
    struct trace_record *record = &history->records[id];
    if ((size_t)id == known)
        *record = (struct trace_record){0};
    record->pending = trace->allocated;
    record->reading = history->reading;
    trace->sent = record->sent;
    return 0;
}

int trace_history_apply(struct trace_history *history, struct trace_table *table) {
    uint64_t *frames = hash_frames(table);
    int error = frames == NULL ? -ENOMEM : 0;
    for (size_t i = 0; error == 0 && i < table->count; i++) {
        struct trace *trace = &table->traces[i];
        error = apply(history, trace, hash_trace(table, trace, frames));
    }
    free(frames);
    return error;
}

/* Without memory all are kept. */
static void forget(struct trace_history *history) {
    struct id_map ids = {0};
    size_t kept = 0;
    struct trace_record *records = calloc(history->ids.count, sizeof *records);
    for (size_t i = 0; records != NULL && i < history->ids.count; i++) {
        if (history->records[i].reading != history->reading)
            continue;
        if (id_map_add(&ids, history->ids.pairs[i]) < 0) {
            id_map_clear(&ids);
            free(records);
            return;
        }
        records[kept++] = history->records[i];
    }
    if (records == NULL)
        return;
    size_t capacity = history->ids.count;
    id_map_clear(&history->ids);
    free(history->records);
    history->ids = ids;
    history->records = records;
    history->capacity = capacity;
}

void trace_history_commit(struct trace_history *history) {
    size_t gone = 0;
    for (size_t i = 0; i < history->ids.count; i++) {
        struct trace_record *record = &history->records[i];
        if (record->reading == history->reading)
            record->sent = record->pending;
        else
            gone++;
    }
    history->sent_until = history->pending_until;
    if (gone > MIN_FORGOTTEN && gone > history->ids.count / 2)
        forget(history);
}

void trace_history_close(struct trace_history *history) {
    id_map_clear(&history->ids);
    free(history->records);
    *history = (struct trace_history){0};
}
