/* SPDX-License-Identifier: MIT */
#include "export/trace_table.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "collection/array.h"
#include "export/plain_text.h"
#include "export/thread_names.h"

/* Prevents that a small damaged file keeps an export busy or leads to a huge one. */
static const uint64_t max_frames = (uint64_t)1 << 28;

/* Fills `window`, innermost frame first. Returns the number of frames, or -ENOMEM. */
static int64_t walk(struct trace_table *table, uint32_t stack) {
    const struct tracemalloc_dump_stack *stacks = table->input->reader->stacks;
    uint32_t length = 0;
    do {
        int64_t frame = frame_table_at(&table->frames, &table->cache, stack);
        if (frame < 0)
            return frame;
        table->window[length++] = (uint32_t)frame;
        stack = stacks[stack].parent;
    } while (stack != TRACEMALLOC_DUMP_EMPTY_STACK && length < table->longest);
    return length;
}

const uint32_t *trace_table_window(struct trace_table *table, const struct trace *trace,
                                   uint32_t *count) {
    if (trace->stack == TRACE_TABLE_REST) {
        *count = 1;
        return &table->rest_frame;
    }
    /* All frames are in the cache since the trace was added. */
    int64_t length = walk(table, trace->stack);
    *count = length < 0 ? 0 : (uint32_t)length;
    for (uint32_t i = 0; i < *count / 2; i++) {
        uint32_t frame = table->window[i];
        table->window[i] = table->window[*count - 1 - i];
        table->window[*count - 1 - i] = frame;
    }
    return table->window;
}

uint32_t trace_table_domain(const struct trace_table *table,
                            const struct trace *trace) {
    uint32_t domain = table->contexts[trace->context].domain;
    return table->input->reader->domains[domain].number;
}

char *trace_table_domain_name(const struct trace_table *table, size_t context) {
    const struct dump_reader *reader = table->input->reader;
    const struct tracemalloc_dump_domain *domain =
        &reader->domains[table->contexts[context].domain];
    struct dump_text name = dump_reader_text(reader, domain->name);
    char *text;
    if (name.length > 0)
        return plain_text_copy(name);
    return asprintf(&text, "%" PRIu32, domain->number) < 0 ? NULL : text;
}

uint32_t trace_table_pid(const struct trace_table *table, const struct trace *trace) {
    return export_input_pid(table->input, table->contexts[trace->context].process);
}

/* Attributes that are not keys are 0 in the pair. */
static int64_t add_context(struct trace_table *table, struct trace_context context) {
    const struct dump_reader *reader = table->input->reader;
    struct id_pair pair = {0, 0};
    if ((table->keys & TRACE_KEY_DOMAIN) != 0)
        pair.first = reader->domains[context.domain].number;
    if ((table->keys & TRACE_KEY_PROCESS) != 0)
        pair.second = (uint64_t)context.process << 32;
    pair.second |= context.thread;
    size_t known = table->context_ids.count;
    if (array_reserve(&table->contexts, &table->context_capacity, known + 1,
                      sizeof *table->contexts) < 0)
        return -ENOMEM;
    int64_t id = id_map_add(&table->context_ids, pair);
    if (id >= 0 && (size_t)id == known)
        table->contexts[id] = context;
    return id;
}

static struct id_pair trace_key(const struct trace_table *table, int64_t length,
                                int64_t context) {
    uint64_t hash = (uint64_t)length;
    for (int64_t i = 0; i < length; i++)
        hash = hash_pair(hash, table->window[i]);
    return (struct id_pair){hash, (uint64_t)table->window[0] << 32 | (uint64_t)context};
}

static void add_weights(struct trace *trace, const struct trace *more) {
    weight_add(&trace->shown, more->shown);
    weight_add(&trace->allocated, more->allocated);
    trace->peak_size += more->peak_size;
}

/* Adds a site to the trace with its key, or as a new trace. */
static int add_trace(struct trace_table *table, const struct trace *trace) {
    int64_t length = walk(table, trace->stack);
    if (length < 0)
        return (int)length;
    table->frame_count += (uint64_t)length;
    if (table->frame_count > max_frames)
        return -EFBIG;
    size_t known = table->ids.count;
    if (array_reserve(&table->traces, &table->capacity, known + 1,
                      sizeof *table->traces) < 0)
        return -ENOMEM;
    int64_t id = id_map_add(&table->ids, trace_key(table, length, trace->context));
    if (id < 0)
        return (int)id;
    if ((size_t)id < known) {
        add_weights(&table->traces[id], trace);
        return 0;
    }
    table->traces[id] = *trace;
    table->count++;
    return 0;
}

static bool is_wanted(const struct trace_table *table, const struct trace *trace) {
    if (trace->shown.count > 0 || trace->shown.size > 0)
        return true;
    return (table->keys & TRACE_KEY_EVER) != 0 &&
           (trace->allocated.size > 0 || trace->allocated.count > 0 ||
            trace->peak_size > 0);
}

static int add_site(struct trace_table *table, size_t number) {
    const struct export_input *input = table->input;
    const struct tracemalloc_dump_site *site = &input->reader->sites[number];
    struct trace trace = {
        .stack = site->stack,
        .shown = input->shown.sites[number],
        .allocated = input->allocated.sites[number],
        .peak_size = input->peak.sites[number].size,
    };
    if (!is_wanted(table, &trace))
        return 0;
    uint32_t thread = table->threads == NULL ? 0 : table->threads[site->stack];
    int64_t context =
        add_context(table, (struct trace_context){site->process, site->domain, thread});
    if (context < 0)
        return (int)context;
    trace.context = (uint32_t)context;
    return add_trace(table, &trace);
}

static int compare_numbers(uint64_t first, uint64_t second) {
    return (first > second) - (first < second);
}

/* Largest first. No two traces are equal, so that the order is always the same. */
static int compare(const void *first, const void *second) {
    const struct trace *a = first, *b = second;
    const uint64_t pairs[][2] = {
        {b->shown.size, a->shown.size},
        {b->shown.count, a->shown.count},
        {b->allocated.size, a->allocated.size},
        {a->stack, b->stack},
        {a->context, b->context},
    };
    int order = 0;
    for (size_t i = 0; order == 0 && i < sizeof pairs / sizeof *pairs; i++)
        order = compare_numbers(pairs[i][0], pairs[i][1]);
    return order;
}

static int add_rest_frame(struct trace_table *table) {
    static const struct dump_text text = {"<other>", 7}, none = {"", 0};
    int64_t name = frame_names_add(table->frames.names, text);
    int64_t function = frame_names_add(table->frames.names, none);
    if (name < 0 || function < 0)
        return -ENOMEM;
    struct named_frame frame = {.filename = (uint32_t)name,
                                .function = (uint32_t)function};
    int64_t id = frame_table_add(&table->frames, frame);
    table->rest_frame = id < 0 ? 0 : (uint32_t)id;
    return id < 0 ? (int)id : 0;
}

/* Replaces traces beyond the limit by their sums, one trace for each context, in place.
 */
static int fold_rest(struct trace_table *table) {
    size_t limit = table->input->limit, count = limit;
    if (limit >= table->count)
        return 0;
    size_t contexts = table->context_ids.count;
    struct trace *rest = calloc(contexts, sizeof *rest);
    if (rest == NULL)
        return -ENOMEM;
    for (size_t i = limit; i < table->count; i++)
        add_weights(&rest[table->traces[i].context], &table->traces[i]);
    for (size_t i = 0; i < contexts; i++) {
        rest[i].stack = TRACE_TABLE_REST;
        rest[i].context = (uint32_t)i;
        /* There is space, because each sum replaces at least one trace. */
        if (is_wanted(table, &rest[i]))
            table->traces[count++] = rest[i];
    }
    table->count = count;
    free(rest);
    return add_rest_frame(table);
}

/* Keeps the traces of the input's part. */
static void keep_part(struct trace_table *table) {
    size_t count = 0;
    for (size_t i = table->input->part; i < table->count; i += table->input->parts)
        table->traces[count++] = table->traces[i];
    table->count = count;
}

static int allocate(struct trace_table *table) {
    const struct profile *profile = &table->input->shown;
    bool leaf = (table->keys & TRACE_KEY_LEAF) != 0;
    table->longest = leaf ? 1 : profile->reader->header.nframe;
    table->window = calloc(table->longest, sizeof *table->window);
    if (table->window == NULL)
        return -ENOMEM;
    int error = frame_cache_open(&table->cache, profile);
    if (error == 0 && (table->keys & TRACE_KEY_THREAD) != 0)
        error = thread_names_find(&table->threads, profile, table->frames.names);
    return error;
}

static int fill(struct trace_table *table) {
    int error = allocate(table);
    for (size_t i = 0; error == 0 && i < table->input->reader->site_count; i++)
        error = add_site(table, i);
    if (error < 0)
        return error;
    if (table->count > 0)
        qsort(table->traces, table->count, sizeof *table->traces, compare);
    error = fold_rest(table);
    if (error == 0)
        keep_part(table);
    return error;
}

int trace_table_open(struct trace_table *table, struct export_input *input,
                     unsigned keys) {
    *table = (struct trace_table){
        .input = input,
        .keys = keys,
        .frames = {.names = &input->names,
                   .by_address = (keys & TRACE_KEY_ADDRESS) != 0},
    };
    int error = fill(table);
    if (error < 0)
        trace_table_close(table);
    return error;
}

void trace_table_close(struct trace_table *table) {
    frame_cache_close(&table->cache);
    frame_table_close(&table->frames);
    id_map_clear(&table->ids);
    id_map_clear(&table->context_ids);
    free(table->threads);
    free(table->traces);
    free(table->contexts);
    free(table->window);
    *table = (struct trace_table){0};
}
