/* SPDX-License-Identifier: MIT */
/* The traces of an export: its blocks, those with the same traceback (and domain, and
 * thread, as the format tells them apart) as one.
 *
 * For offline code; allocates; one thread at a time. A traceback is the window of the
 * most recent frames that the dump was made with, and is walked whole: dumps whose
 * windows sum to more than 2^28 frames are refused.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "collection/id_map.h"
#include "export/export_input.h"
#include "export/frame_table.h"

/* What tells traces apart, beside the frames. */
enum trace_key {
    TRACE_KEY_LEAF = 1,   /* of the frames only the most recent one */
    TRACE_KEY_DOMAIN = 2, /* its number */
    TRACE_KEY_PROCESS = 4,
    TRACE_KEY_THREAD = 8,   /* of one process or of several */
    TRACE_KEY_ADDRESS = 16, /* of native frames */
    TRACE_KEY_EVER = 32,    /* no key: with traces of which nothing is shown any more */
};

/* The first one with its key: what the keys do not tell apart differs. */
struct trace_context {
    uint32_t process; /* index in the dump */
    uint32_t domain;  /* index in the dump */
    uint32_t thread;  /* of the names */
};

enum { TRACE_TABLE_REST = UINT32_MAX };

struct trace {
    uint32_t stack; /* one with these frames; TRACE_TABLE_REST: beyond the limit */
    uint32_t context;
    struct weight shown;
    struct weight allocated;
    uint64_t peak_size;
};

struct trace_table {
    const struct export_input *input;
    unsigned keys; /* enum trace_key */
    struct frame_table frames;
    struct frame_cache cache;
    struct trace *traces; /* the largest first; those of the rest at the end */
    size_t count;
    size_t capacity;
    struct id_map ids;         /* of traces */
    struct id_map context_ids; /* by domain, process and thread */
    struct trace_context *contexts;
    size_t context_room;
    uint32_t *window;     /* room for the longest */
    uint32_t longest;     /* frames in a window, at most */
    uint32_t *threads;    /* name, by stack; NULL unless threads are told apart */
    uint64_t frame_count; /* of all windows walked */
    uint32_t rest_frame;  /* `<other>` */
};

/* 0, -ENOMEM, or -EFBIG. The input outlives the table; names are added to it. */
must_check int trace_table_open(struct trace_table *table, struct export_input *input,
                                unsigned keys);

void trace_table_close(struct trace_table *table);

/* The numbers of a trace's frames, the oldest first, valid until the next call. */
const uint32_t *trace_table_window(struct trace_table *table, const struct trace *trace,
                                   uint32_t *count);

/* The path of a native frame's module. */
static inline struct dump_text trace_table_module(const struct trace_table *table,
                                                  const struct named_frame *frame) {
    const struct dump_reader *reader = table->input->reader;
    return dump_reader_text(reader, reader->modules[frame->module].path);
}

/* The number of a trace's domain. */
uint32_t trace_table_domain(const struct trace_table *table, const struct trace *trace);

/* The process id of a trace, where processes are told apart. */
uint32_t trace_table_pid(const struct trace_table *table, const struct trace *trace);
