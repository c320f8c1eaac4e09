/* SPDX-License-Identifier: MIT */
#include "trace/track_table.h"

#include <errno.h>

#include "base/arena_array.h"
#include "base/hash.h"
#include "base/id_table.h"
#include "trace/block_count.h"
#include "trace/bucket_table.h"

enum { FIRST_SLOTS = 1024 };

struct tracked {
    uintptr_t address;
    uint32_t domain;
    uint32_t bucket; /* in a free entry: the index of the next free one */
};

static struct id_table tracked_index;
static struct tracked *entries; /* index 0 is unused */
static uint32_t count, capacity, first_free;

static uint64_t hash_of(uint32_t domain, uintptr_t address) {
    return hash_pair(address, domain);
}

static uint32_t find(uint32_t domain, uintptr_t address) {
    struct id_probe probe;
    uint32_t id;
    if (entries == NULL)
        return 0;
    id_probe_start(&probe, &tracked_index, hash_of(domain, address));
    while ((id = id_probe_next(&probe)) != 0)
        if (entries[id].address == address && entries[id].domain == domain)
            break;
    return id;
}

static int open_table(void) {
    int error = id_table_open(&tracked_index, FIRST_SLOTS);
    if (error < 0)
        return error;
    error = arena_array_reserve(&entries, &capacity, 1, sizeof *entries);
    if (error < 0) {
        id_table_close(&tracked_index);
        return error;
    }
    count = 1;
    first_free = 0;
    return 0;
}

/* Takes a free entry, or appends one; its index in `*id`. */
static int take_entry(uint32_t *id) {
    if (entries == NULL && open_table() < 0)
        return -ENOMEM;
    *id = first_free;
    if (*id != 0) {
        first_free = entries[*id].bucket;
        return 0;
    }
    if (arena_array_reserve(&entries, &capacity, (uint64_t)count + 1, sizeof *entries) <
        0)
        return -ENOMEM;
    *id = count++;
    return 0;
}

static void give_back(uint32_t id) {
    entries[id] = (struct tracked){.bucket = first_free};
    first_free = id;
}

int track_table_insert(uint32_t domain, uintptr_t address, uint64_t size,
                       uint32_t stack) {
    uint32_t id;
    track_table_remove(domain, address);
    uint32_t bucket = bucket_table_find(stack, domain, size);
    if (bucket == 0)
        return -ENOSPC;
    if (take_entry(&id) < 0)
        return -ENOMEM;
    entries[id] = (struct tracked){address, domain, bucket};
    if (id_table_add(&tracked_index, hash_of(domain, address), id) < 0) {
        give_back(id);
        return -ENOMEM;
    }
    block_count_add(bucket);
    return 0;
}

uint32_t track_table_take(uint32_t domain, uintptr_t address) {
    uint32_t id = find(domain, address);
    if (id == 0)
        return 0;
    uint32_t bucket = entries[id].bucket;
    id_table_remove(&tracked_index, hash_of(domain, address), id);
    give_back(id);
    return bucket;
}

void track_table_remove(uint32_t domain, uintptr_t address) {
    uint32_t bucket = track_table_take(domain, address);
    block_count_remove(bucket);
}

void track_table_visit(uint32_t domain, void (*visit)(uintptr_t address)) {
    if (entries == NULL)
        return;
    for (size_t slot = 0; slot <= tracked_index.mask; slot++) {
        uint32_t id = tracked_index.slots[slot].id;
        if (id != 0 && entries[id].domain == domain)
            visit(entries[id].address);
    }
}

uint32_t track_table_find(uint32_t domain, uintptr_t address) {
    uint32_t id = find(domain, address);
    return id != 0 ? entries[id].bucket : 0;
}

void track_table_clear(void) {
    if (entries == NULL)
        return;
    id_table_close(&tracked_index);
    arena_array_release(&entries, &capacity, sizeof *entries);
}
