/* SPDX-License-Identifier: MIT */
#include "preload/dump_view.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "preload/record.h"
#include "trace/track_table.h"

static const unsigned copied[] = {
    TRACEMALLOC_DUMP_STRINGS, TRACEMALLOC_DUMP_CODE,  TRACEMALLOC_DUMP_STACKS,
    TRACEMALLOC_DUMP_TALLIES, TRACEMALLOC_DUMP_SITES, TRACEMALLOC_DUMP_DOMAINS,
};

static uint64_t bytes_of(unsigned section) {
    const struct tracemalloc_dump_section *entry =
        &tracer.dump->header->sections[section];
    return (entry->count * entry->entry_size + 15) & ~(uint64_t)15;
}

static int take(struct dump_view *view) {
    if (!tracer.active)
        return -ENOENT;
    view->nframe = tracer.dump->header->nframe;
    view->size = 0;
    for (unsigned at = 0; at < sizeof copied / sizeof *copied; at++)
        view->size += bytes_of(copied[at]);
    view->memory = arena_map(view->size);
    if (view->memory == NULL)
        return -ENOMEM;
    unsigned char *to = view->memory;
    for (unsigned at = 0; at < sizeof copied / sizeof *copied; at++) {
        unsigned section = copied[at];
        view->sections[section] = to;
        view->counts[section] = tracer.dump->header->sections[section].count;
        memcpy(to, tracer.dump->base[section], bytes_of(section));
        to += bytes_of(section);
    }
    return 0;
}

int dump_view_take(struct dump_view *view) {
    struct thread_state *self = thread_state_get();
    bool locked = record_enter(self);
    int status = take(view);
    record_leave(self, locked);
    return status;
}

void dump_view_release(struct dump_view *view) {
    arena_unmap(view->memory, view->size);
}

static const struct tracemalloc_dump_stack *node_at(uint32_t id) {
    return (const struct tracemalloc_dump_stack *)
               tracer.dump->base[TRACEMALLOC_DUMP_STACKS] +
           id;
}

/* A string of the dump: its length, then its bytes. */
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
    for (uint32_t node = stack; node != 0; node = node_at(node)->parent) {
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
    uint32_t node = stack;
    for (uint32_t at = 0; at < view->length; at++, node = node_at(node)->parent) {
        const unsigned char *name = filename_of(node);
        view->frames[at] =
            (struct stack_view_frame){text, length_of(name), node_at(node)->line};
        memcpy(text, name + sizeof(uint32_t), length_of(name));
        text += length_of(name);
    }
}

/* In the map, where the block is of that domain, or in the table of tracked blocks. */
static uint32_t site_of(uint32_t number, uintptr_t block) {
    int64_t domain = site_table_domain(number, "tracked");
    if (domain < 0)
        return 0;
    if (tracer_domain_of(block) == domain)
        return *block_map_find(block) & BLOCK_MAP_SITE;
    return track_table_find((uint32_t)domain, block);
}

static int take_stack(struct stack_view *view, uint32_t domain, uintptr_t block) {
    uint32_t site = tracer.active ? site_of(domain, block) : 0;
    if (site == 0)
        return -ENOENT;
    uint32_t stack = site_table.tallies[site_table.sites[site].tally].stack;
    int status = measure(view, stack);
    if (status == 0)
        fill(view, stack);
    return status;
}

int stack_view_take(struct stack_view *view, uint32_t domain, uintptr_t block) {
    struct thread_state *self = thread_state_get();
    bool locked = record_enter(self);
    int status = take_stack(view, domain, block);
    record_leave(self, locked);
    return status;
}

void stack_view_release(struct stack_view *view) {
    arena_unmap(view->memory, view->size);
}
