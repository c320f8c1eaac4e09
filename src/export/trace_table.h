/* SPDX-License-Identifier: MIT */
/* The traces of an export. A trace is the sum of all blocks with the same traceback
 * and, depending on the format, the same domain, process and thread.
 *
 * For offline code; allocates; one thread at a time. A traceback is the window of the
 * innermost frames of a stack, of which each frame is read: dumps whose windows sum to
 * more than 2^28 frames are refused.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "collection/id_map.h"
#include "export/export_input.h"
#include "export/frame_table.h"

/* By what traces are distinguished, in addition to the frames. */
enum trace_key {
    TRACE_KEY_LEAF = 1,   /* only the innermost frame counts */
    TRACE_KEY_DOMAIN = 2, /* by number */
    TRACE_KEY_PROCESS = 4,
    TRACE_KEY_THREAD = 8,   /* by name, also across processes */
    TRACE_KEY_ADDRESS = 16, /* of native frames */
    TRACE_KEY_EVER = 32,    /* not a key: includes traces whose blocks were all freed */
};

/* Attributes of a trace; those that are not keys are of the first site that was
 * added. */
struct trace_context {
    uint32_t process; /* index in the dump */
    uint32_t domain;  /* index in the dump */
    uint32_t thread;  /* id of its name */
};

enum { TRACE_TABLE_REST = UINT32_MAX };

struct trace {
    uint32_t stack; /* TRACE_TABLE_REST in a sum of traces beyond the limit */
    uint32_t context;
    struct weight shown;
    struct weight allocated;
    struct weight sent; /* of that, by an earlier reading (export/trace_history.h) */
    uint64_t peak_size;
};

struct trace_table {
    const struct export_input *input;
    unsigned keys; /* enum trace_key */
    struct frame_table frames;
    struct frame_cache cache;
    struct trace *traces; /* largest first; sums of those beyond the limit at the end */
    size_t count;
    size_t capacity;
    struct id_map ids;         /* of traces */
    struct id_map context_ids; /* by domain, process and thread */
    struct trace_context *contexts;
    size_t context_capacity;
    uint32_t *window;     /* of `longest` frames */
    uint32_t longest;     /* frames in the longest window */
    uint32_t *threads;    /* id of the name, by stack; NULL unless threads are a key */
    uint64_t frame_count; /* of all windows that were read */
    uint32_t rest_frame;  /* `<other>` */
};

/* 0, -ENOMEM, or -EFBIG. The input must outlive the table, which adds names to it. */
must_check int trace_table_open(struct trace_table *table, struct export_input *input,
                                unsigned keys);

void trace_table_close(struct trace_table *table);

/* The ids of a trace's frames, outermost first, valid until the next call. */
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

/* The name of a context's domain, or its number if it has none, as plain text that the
 * caller frees; NULL if there is no memory. */
must_check char *trace_table_domain_name(const struct trace_table *table,
                                         size_t context);

/* The PID of a trace, if processes are a key. */
uint32_t trace_table_pid(const struct trace_table *table, const struct trace *trace);
