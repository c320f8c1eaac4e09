/* SPDX-License-Identifier: MIT */
#include "module/dump_view.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "event/event.h"

static uint64_t count_of(unsigned section) {
    return tracer.dump->header->sections[section].count;
}

static uint64_t bytes_of(unsigned section) {
    uint64_t entry_size = tracer.dump->header->sections[section].entry_size;
    return (count_of(section) * entry_size + 15) & ~(uint64_t)15;
}

static unsigned char *copy(unsigned char *to, unsigned section) {
    memcpy(to, tracer.dump->base[section], bytes_of(section));
    return to + bytes_of(section);
}

/* Parts of blocks are rounded up where the number of the bucket says so, so that the
 * sum of all buckets is right: the multiples of the golden ratio are spread evenly. */
static uint64_t blocks_of(const struct tracemalloc_dump_bucket *bucket, uint64_t id) {
    uint64_t size = bucket->size, weight = sample_weight(size, bucket_distance(bucket));
    if (weight == size)
        return bucket->live;
    __extension__ typedef unsigned __int128 wide;
    uint64_t part = (uint64_t)((wide)(id * 0x9e3779b97f4a7c15u) * size >> 64);
    return (uint64_t)(((wide)bucket->live * weight + part) / size);
}

static void copy_buckets(struct dump_view *view, struct dump_view_bucket *to,
                         bool native) {
    const struct tracemalloc_dump_domain *domains =
        (const void *)tracer.dump->base[TRACEMALLOC_DUMP_DOMAINS];
    uint64_t count = count_of(TRACEMALLOC_DUMP_BUCKETS);
    for (uint64_t id = 1; id < count; id++) {
        const struct tracemalloc_dump_bucket *bucket = bucket_table.buckets + id;
        if (bucket->live == 0)
            continue;
        const struct tracemalloc_dump_site *site = bucket_site(bucket);
        if (!native && !is_python(site->domain))
            continue;
        to[view->bucket_count++] =
            (struct dump_view_bucket){bucket->size, blocks_of(bucket, id), site->stack,
                                      domains[site->domain].number};
        view->block_count += to[view->bucket_count - 1].blocks;
    }
    view->buckets = to;
}

static int take(struct event_guard guard, struct dump_view *view, bool native) {
    event_guard_check(guard);
    if (!gate.active)
        return -ENOENT;
    const struct tracemalloc_dump_header *header = tracer.dump->header;
    *view = (struct dump_view){
        .nframe = header->nframe,
        .has_native = header->native_nframe != 0,
        .stack_count = count_of(TRACEMALLOC_DUMP_STACKS),
        .string_bytes = count_of(TRACEMALLOC_DUMP_STRINGS),
    };
    /* Has room for all buckets; the pages that those with live blocks do not need are
     * never touched. */
    view->size = bytes_of(TRACEMALLOC_DUMP_STACKS) + bytes_of(TRACEMALLOC_DUMP_CODE) +
                 bytes_of(TRACEMALLOC_DUMP_STRINGS) +
                 count_of(TRACEMALLOC_DUMP_BUCKETS) * sizeof *view->buckets;
    unsigned char *to = view->memory = arena_map(view->size);
    if (to == NULL)
        return -ENOMEM;
    view->stacks = (const void *)to;
    view->code = (const void *)(to = copy(to, TRACEMALLOC_DUMP_STACKS));
    view->strings = to = copy(to, TRACEMALLOC_DUMP_CODE);
    to = copy(to, TRACEMALLOC_DUMP_STRINGS);
    copy_buckets(view, (void *)to, native);
    return 0;
}

int dump_view_take(struct dump_view *view, bool native) {
    struct thread_state *self = thread_state_get();
    struct event_guard guard = event_begin(self);
    int error = take(guard, view, native);
    event_end(guard);
    return error;
}

void dump_view_release(struct dump_view *view) {
    arena_unmap(view->memory, view->size);
}

static const struct tracemalloc_dump_stack *node_at(uint32_t id) {
    return (const struct tracemalloc_dump_stack *)
               tracer.dump->base[TRACEMALLOC_DUMP_STACKS] +
           id;
}

/* The innermost Python frame at a node or further out; 0 if there is none. */
static uint32_t python_node(uint32_t node) {
    while (node != 0 && (node_at(node)->code & TRACEMALLOC_DUMP_NATIVE) != 0)
        node = node_at(node)->parent;
    return node;
}

/* The string as it is in the dump: its length, then its bytes. */
static const unsigned char *filename_of(uint32_t node) {
    const struct tracemalloc_dump_code *codes =
        (const void *)tracer.dump->base[TRACEMALLOC_DUMP_CODE];
    return tracer.dump->base[TRACEMALLOC_DUMP_STRINGS] +
           codes[node_at(node)->code].filename;
}

static uint32_t length_of(const unsigned char *string) {
    uint32_t length;
    memcpy(&length, string, sizeof length);
    return length;
}

static int measure(struct stack_view *view, uint32_t stack) {
    uint64_t text = 0;
    view->length = view->total = 0;
    for (uint32_t node = python_node(stack); node != 0;
         node = python_node(node_at(node)->parent)) {
        if (view->total++ >= tracer.dump->header->nframe)
            continue;
        view->length++;
        text += length_of(filename_of(node));
    }
    view->size = view->length * sizeof *view->frames + text + 1;
    view->memory = arena_map(view->size);
    view->frames = (void *)view->memory;
    return view->memory != NULL ? 0 : -ENOMEM;
}

static void fill(struct stack_view *view, uint32_t stack) {
    char *text = (char *)(view->frames + view->length);
    uint32_t node = python_node(stack);
    for (uint32_t i = 0; i < view->length; i++) {
        const unsigned char *name = filename_of(node);
        view->frames[i] =
            (struct stack_view_frame){text, length_of(name), node_at(node)->line};
        memcpy(text, name + sizeof(uint32_t), length_of(name));
        text += length_of(name);
        node = python_node(node_at(node)->parent);
    }
}

static uint32_t bucket_of(struct event_guard guard, uint32_t number, uintptr_t block) {
    int64_t domain = bucket_table_domain(number);
    return domain < 0 ? 0 : tracer_find(guard, (uint32_t)domain, block);
}

static int take_stack(struct event_guard guard, struct stack_view *view,
                      uint32_t domain, uintptr_t block) {
    uint32_t bucket = gate.active ? bucket_of(guard, domain, block) : 0;
    if (bucket == 0)
        return -ENOENT;
    uint32_t stack = bucket_site(bucket_table.buckets + bucket)->stack;
    int error = measure(view, stack);
    if (error == 0)
        fill(view, stack);
    return error;
}

int stack_view_take(struct stack_view *view, uint32_t domain, uintptr_t block) {
    struct thread_state *self = thread_state_get();
    struct event_guard guard = event_begin(self);
    int error = take_stack(guard, view, domain, block);
    event_end(guard);
    return error;
}

void stack_view_release(struct stack_view *view) {
    arena_unmap(view->memory, view->size);
}
