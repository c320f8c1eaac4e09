/* SPDX-License-Identifier: MIT */
#include "trace/stack_table.h"

#include "base/hash.h"
#include "base/id_table.h"
#include "trace/reclaim_trigger.h"

enum { FIRST_SLOTS = 8192, OVERFLOW_CODE = 1 };

static struct dump_file *dump;
static struct id_table nodes;
static struct id_set unused; /* free ids */

static struct tracemalloc_dump_stack *node_at(uint64_t id) {
    return (struct tracemalloc_dump_stack *)dump->base[TRACEMALLOC_DUMP_STACKS] + id;
}

static uint64_t count_of(void) {
    return dump->header->sections[TRACEMALLOC_DUMP_STACKS].count;
}

static uint32_t append(struct tracemalloc_dump_stack node) {
    uint64_t id = count_of();
    if (id >= UINT32_MAX ||
        reclaim_trigger_reserve(dump, TRACEMALLOC_DUMP_STACKS, id + 1) < 0)
        return TRACEMALLOC_DUMP_OVERFLOW_STACK;
    *node_at(id) = node;
    dump_file_publish(dump, TRACEMALLOC_DUMP_STACKS, id + 1);
    return (uint32_t)id;
}

/* A parent's id is less than its child's. */
static uint32_t store(struct tracemalloc_dump_stack node) {
    uint32_t id = id_set_next(&unused, node.parent + 1);
    if (id == ID_SET_END)
        return append(node);
    id_set_remove(&unused, id);
    *node_at(id) = node;
    return id;
}

static uint32_t overflow(void) {
    dump->header->lost[TRACEMALLOC_DUMP_LOST_STACKS]++;
    return TRACEMALLOC_DUMP_OVERFLOW_STACK;
}

uint32_t stack_table_node(uint32_t parent, uint32_t code, uint64_t line) {
    uint64_t hash = hash_pair(hash_pair(parent, code), line);
    uint32_t low = (uint32_t)line, high = (uint32_t)(line >> 32), id;
    struct id_probe probe;
    if (parent == TRACEMALLOC_DUMP_OVERFLOW_STACK)
        return parent;
    for (id_probe_start(&probe, &nodes, hash); (id = id_probe_next(&probe)) != 0;) {
        const struct tracemalloc_dump_stack *node = node_at(id);
        if (node->parent == parent && node->code == code && node->line == low &&
            node->high == high)
            return id;
    }
    reclaim_trigger.new_stacks++;
    id = store((struct tracemalloc_dump_stack){parent, code, low, high});
    if (id == TRACEMALLOC_DUMP_OVERFLOW_STACK || id_table_add(&nodes, hash, id) < 0)
        return overflow();
    return id;
}

static uint64_t hash_of(const struct tracemalloc_dump_stack *node) {
    uint64_t line = (uint64_t)node->high << 32 | node->line;
    return hash_pair(hash_pair(node->parent, node->code), line);
}

void stack_table_reclaim(struct id_set *ids) {
    uint64_t count = count_of();
    id_table_clear(&nodes);
    for (uint32_t id = TRACEMALLOC_DUMP_OVERFLOW_STACK + 1; id < count; id++)
        if (id_set_has(ids, id))
            *node_at(id) = (struct tracemalloc_dump_stack){0};
        /* Cannot fail: the cleared index has the capacity. */
        else if (id_table_add(&nodes, hash_of(node_at(id)), id) < 0)
            dump->header->lost[TRACEMALLOC_DUMP_LOST_MEMORY]++;
    id_set_close(&unused);
    unused = *ids;
}

int stack_table_open(struct dump_file *file) {
    dump = file;
    int error = id_table_open(&nodes, FIRST_SLOTS);
    if (error < 0)
        return error;
    append((struct tracemalloc_dump_stack){0});
    append((struct tracemalloc_dump_stack){0, OVERFLOW_CODE, 0, 0});
    return 0;
}

void stack_table_close(void) {
    id_table_close(&nodes);
    id_set_close(&unused);
}
