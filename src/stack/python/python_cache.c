/* SPDX-License-Identifier: MIT */
#include "stack/python/python_cache.h"

#include <assert.h>
#include <string.h>

#include "base/arena_array.h"
#include "tracemalloc_dump.h"

enum {
    FIRST_SLOTS = 8192,
    FIRST_ENTRIES = 4096,
    FIRST_CODES = 1024,
    FIRST_PARENTS = 8192
};

struct code {
    uintptr_t address;
    uint32_t id;
    uint32_t first; /* of its entries; for a free one: the next free one */
};

/* An array of the arena whose freed entries form a list. Index 0 is unused. */
struct pool {
    void *memory;
    uint32_t entry_size;
    uint32_t count;
    uint32_t capacity;
    uint32_t free;
};

struct python_cache python_cache;

static struct id_table code_index;
static struct pool entries = {.entry_size = sizeof(struct python_cache_entry)};
static struct pool codes = {.entry_size = sizeof(struct code)};
static struct pool parents = {.entry_size = sizeof(uint32_t)}; /* all of it is used */

static int pool_reserve(struct pool *pool, uint64_t wanted) {
    return arena_array_reserve(&pool->memory, &pool->capacity, wanted,
                               pool->entry_size);
}

static int pool_open(struct pool *pool, uint32_t capacity) {
    pool->count = 1;
    pool->free = 0;
    return pool_reserve(pool, capacity);
}

static void pool_close(struct pool *pool) {
    arena_array_release(&pool->memory, &pool->capacity, pool->entry_size);
}

/* An index that was never used; 0 without memory. */
static uint32_t pool_extend(struct pool *pool) {
    return pool_reserve(pool, (uint64_t)pool->count + 1) == 0 ? pool->count++ : 0;
}

static struct code *code_at(uint32_t index) {
    return (struct code *)codes.memory + index;
}

static void tell_pools(void) {
    python_cache.entries = entries.memory;
    python_cache.first_child = parents.memory;
    python_cache.parents = parents.memory != NULL ? parents.capacity : 0;
}

int python_cache_open(void) {
    int error = id_table_open(&python_cache.index, FIRST_SLOTS);
    if (error == 0)
        error = id_table_open(&code_index, FIRST_CODES);
    if (error == 0)
        error = pool_open(&entries, FIRST_ENTRIES);
    if (error == 0)
        error = pool_open(&codes, FIRST_CODES);
    if (error == 0)
        error = pool_open(&parents, FIRST_PARENTS);
    tell_pools();
    epoch_raise();
    return error;
}

void python_cache_close(void) {
    id_table_close(&python_cache.index);
    id_table_close(&code_index);
    pool_close(&entries);
    pool_close(&codes);
    pool_close(&parents);
    tell_pools();
}

static uint64_t code_hash(uintptr_t address) {
    return hash_mix(address >> 3);
}

uint32_t python_cache_code(uintptr_t address) {
    struct id_probe probe;
    uint32_t index;
    id_probe_start(&probe, &code_index, code_hash(address));
    while ((index = id_probe_next(&probe)) != 0)
        if (code_at(index)->address == address)
            break;
    return index;
}

uint32_t python_cache_add_code(uintptr_t address, uint32_t id) {
    uint32_t index = codes.free;
    if (index != 0)
        codes.free = code_at(index)->first;
    else
        index = pool_extend(&codes);
    if (index == 0 || id_table_add(&code_index, code_hash(address), index) < 0)
        return 0;
    *code_at(index) = (struct code){address, id, 0};
    return index;
}

uint32_t python_cache_code_id(uint32_t code) {
    assert(code < codes.count);
    return code_at(code)->id;
}

bool python_cache_search(uint32_t parent, uint64_t ip, uint32_t *node) {
    struct id_probe probe;
    uint32_t id;
    id_probe_start(&probe, &python_cache.index, python_cache_hash(parent, ip));
    while ((id = id_probe_next(&probe)) != 0) {
        const struct python_cache_entry *entry = python_cache.entries + id;
        if (entry->ip == ip && entry->parent == parent) {
            *node = entry->node;
            return true;
        }
    }
    return false;
}

/* False when the list is full, or there is no room for one. */
static bool join_siblings(uint32_t index) {
    struct python_cache_entry *entry = python_cache.entries + index;
    int error = pool_reserve(&parents, (uint64_t)entry->parent + 1);
    tell_pools();
    if (error < 0)
        return false;
    uint32_t *place = &python_cache.first_child[entry->parent];
    int count = 0;
    for (uint32_t id = *place; id != 0; id = python_cache.entries[id].sibling)
        count++;
    if (count == PYTHON_CACHE_SIBLINGS)
        return false;
    entry->sibling = *place;
    *place = index;
    return true;
}

static void leave_siblings(uint32_t index) {
    const struct python_cache_entry *entry = python_cache.entries + index;
    if (entry->parent >= python_cache.parents)
        return;
    uint32_t *place = &python_cache.first_child[entry->parent];
    while (*place != index && *place != 0)
        place = &python_cache.entries[*place].sibling;
    if (*place == index)
        *place = entry->sibling;
}

void python_cache_add(uint32_t parent, uint64_t ip, uint32_t node, uint32_t code) {
    assert(code < codes.count);
    uint32_t index = entries.free;
    if (index != 0)
        entries.free = python_cache.entries[index].next;
    else
        index = pool_extend(&entries);
    tell_pools();
    if (index == 0)
        return;
    python_cache.entries[index] = (struct python_cache_entry){
        .ip = ip, .parent = parent, .node = node, .code = code};
    if (!join_siblings(index) &&
        id_table_add(&python_cache.index, python_cache_hash(parent, ip), index) < 0)
        return;
    python_cache.entries[index].next = code_at(code)->first;
    code_at(code)->first = index;
}

/* Its list of entries of the same code object is the caller's business. */
static void forget_entry(uint32_t index) {
    struct python_cache_entry *entry = python_cache.entries + index;
    id_table_remove(&python_cache.index, python_cache_hash(entry->parent, entry->ip),
                    index);
    leave_siblings(index);
    entry->next = entries.free;
    entries.free = index;
}

static void forget_entries(uint32_t index) {
    while (index != 0) {
        uint32_t next = python_cache.entries[index].next;
        forget_entry(index);
        index = next;
    }
}

void python_cache_forget(uintptr_t address) {
    uint32_t index = python_cache_code(address);
    if (index == 0)
        return;
    struct code *code = code_at(index);
    forget_entries(code->first);
    id_table_remove(&code_index, code_hash(address), index);
    code->address = 0;
    code->first = codes.free;
    codes.free = index;
    epoch_raise();
}

static void pool_clear(struct pool *pool) {
    pool->count = 1;
    pool->free = 0;
}

void python_cache_forget_all(void) {
    id_table_clear(&python_cache.index);
    id_table_clear(&code_index);
    pool_clear(&entries);
    pool_clear(&codes);
    memset(parents.memory, 0, (size_t)parents.capacity * parents.entry_size);
    epoch_raise();
}

void python_cache_mark_live_codes(struct id_set *ids) {
    for (uint32_t index = 1; index < codes.count; index++)
        if (code_at(index)->address != 0)
            id_set_remove(ids, code_at(index)->id);
}

static bool leads_astray(const struct python_cache_entry *entry,
                         const struct id_set *nodes) {
    return entry->node == TRACEMALLOC_DUMP_OVERFLOW_STACK ||
           id_set_has(nodes, entry->node) || id_set_has(nodes, entry->parent);
}

static void forget_nodes_of(struct code *code, const struct id_set *nodes) {
    uint32_t *place = &code->first;
    while (*place != 0) {
        struct python_cache_entry *entry = python_cache.entries + *place;
        uint32_t index = *place;
        if (!leads_astray(entry, nodes)) {
            place = &entry->next;
            continue;
        }
        *place = entry->next;
        forget_entry(index);
    }
}

void python_cache_forget_nodes(const struct id_set *nodes) {
    for (uint32_t index = 1; index < codes.count; index++)
        if (code_at(index)->address != 0)
            forget_nodes_of(code_at(index), nodes);
}
