/* SPDX-License-Identifier: MIT */
#include "trace/mapping_table.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/arena_array.h"
#include "base/machine.h"
#include "trace/live_block.h"

struct mapping {
    uintptr_t start;
    uintptr_t end;
    uint32_t stack;
    uint32_t bucket; /* 0: the dump was full */
    enum mapping_kind kind;
};

/* Sorted by address, without overlap. */
static struct mapping *mappings;
static size_t count;
static uint32_t capacity;

/* The index of the first mapping that ends after the address. */
static size_t first_ending_after(uintptr_t address) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (mappings[middle].end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static uint64_t length_of(const struct mapping *mapping) {
    return mapping->end - mapping->start;
}

static uint64_t counted_bytes(const struct mapping *mapping) {
    return mapping->bucket != 0 ? bucket_table.buckets[mapping->bucket].size : 0;
}

/* Also counts a mapping of 0 bytes: the live block keeps its stack in the dump. */
static void count_mapping(struct mapping *mapping, uint64_t bytes) {
    mapping->bucket =
        bucket_table_find(mapping->stack, TRACEMALLOC_DUMP_DOMAIN_MMAP, bytes);
    if (mapping->bucket != 0) {
        live_block_count(mapping->bucket);
        return;
    }
    bucket_table.header->lost[bucket_table.failure]++;
    mapping->stack = TRACEMALLOC_DUMP_OVERFLOW_STACK;
}

static int insert_at(size_t index, struct mapping mapping, uint64_t bytes) {
    int error = arena_array_reserve(&mappings, &capacity, count + 1, sizeof *mappings);
    if (error < 0)
        return error;
    memmove(mappings + index + 1, mappings + index, (count - index) * sizeof *mappings);
    count_mapping(&mapping, bytes);
    mappings[index] = mapping;
    count++;
    return 0;
}

static void erase_at(size_t index) {
    count--;
    memmove(mappings + index, mappings + index + 1, (count - index) * sizeof *mappings);
}

/* The bytes that a part of a mapping counts. A part of a reservation counts its share
 * until the next measurement. */
static uint64_t part_bytes(const struct mapping *whole, uint64_t bytes,
                           const struct mapping *part) {
    __extension__ unsigned __int128 share =
        (unsigned __int128)bytes * length_of(part) / length_of(whole);
    return whole->kind == MAPPING_HEAP ? length_of(part)
                                       : machine_page_of((uint64_t)share);
}

static int remove_range(uintptr_t start, size_t length) {
    uintptr_t end = start + length;
    size_t index = first_ending_after(start);
    int error = 0;
    while (index < count && mappings[index].start < end) {
        struct mapping old = mappings[index];
        struct mapping before = {old.start, start, old.stack, 0, old.kind};
        struct mapping after = {end, old.end, old.stack, 0, old.kind};
        uint64_t bytes = counted_bytes(&old);
        if (old.bucket != 0 && (old.start < start || old.end > end))
            live_block_uncount_resized(old.bucket);
        else if (old.bucket != 0)
            live_block_uncount(old.bucket);
        erase_at(index);
        if (old.start < start &&
            insert_at(index, before, part_bytes(&old, bytes, &before)) == 0)
            index++;
        if (old.end > end)
            error = insert_at(index++, after, part_bytes(&old, bytes, &after));
    }
    return error;
}

int mapping_table_remove(struct event_guard guard, uintptr_t start, size_t length) {
    event_guard_check(guard);
    return remove_range(start, length);
}

int mapping_table_add(struct event_guard guard, uintptr_t start, size_t length,
                      enum mapping_kind kind, uint32_t stack) {
    event_guard_check(guard);
    int error = remove_range(start, length);
    if (error < 0)
        return error;
    struct mapping mapping = {start, start + length, stack, 0, kind};
    return insert_at(first_ending_after(start), mapping,
                     kind == MAPPING_HEAP ? length : 0);
}

enum mapping_kind mapping_table_kind(struct event_guard guard, uintptr_t start,
                                     size_t length) {
    event_guard_check(guard);
    size_t index = first_ending_after(start);
    bool found = index < count && mappings[index].start < start + length;
    return found ? mappings[index].kind : MAPPING_NONE;
}

/* The mapping stays one block: without live_block_retract it would count in the total
 * of every size that it had. */
static void recount(struct mapping *mapping, uint64_t bytes) {
    const struct tracemalloc_dump_bucket *bucket =
        bucket_table.buckets + mapping->bucket;
    if (mapping->bucket == 0 || bucket->size == bytes)
        return;
    live_block_retract(mapping->bucket);
    count_mapping(mapping, bytes);
}

uint64_t mapping_table_measure(const struct resident *resident) {
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        struct mapping *mapping = &mappings[i];
        uint64_t bytes = resident_bytes(resident, mapping->start, length_of(mapping));
        if (mapping->kind == MAPPING_RESERVED)
            recount(mapping, bytes);
        sum += bytes;
    }
    return sum;
}

void mapping_table_clear(void) {
    count = 0;
}
