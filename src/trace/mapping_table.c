/* SPDX-License-Identifier: MIT */
#include "trace/mapping_table.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "trace/site_table.h"

struct mapping {
    uintptr_t start;
    uintptr_t end;
    uint32_t stack;
    uint32_t site; /* that counts it; 0: it found no room */
};

/* Sorted by address, without overlap. */
static struct mapping *mappings;
static size_t count, capacity;

enum { FIRST_CAPACITY = ARENA_PAGE / sizeof(struct mapping) };

/* The first that ends behind the address. */
static size_t first_behind(uintptr_t address) {
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

static int make_room(void) {
    if (count < capacity)
        return 0;
    size_t wanted = capacity == 0 ? FIRST_CAPACITY : capacity * 2;
    struct mapping *grown =
        capacity == 0
            ? arena_map(wanted * sizeof *grown)
            : arena_grow(mappings, capacity * sizeof *grown, wanted * sizeof *grown);
    if (grown == NULL)
        return -ENOMEM;
    mappings = grown;
    capacity = wanted;
    return 0;
}

/* A stack is known as long as one of its sites counts something. */
static void count_mapping(struct mapping *mapping) {
    mapping->site = site_table_find(mapping->stack, TRACEMALLOC_DUMP_DOMAIN_MMAP,
                                    mapping->end - mapping->start);
    if (mapping->site != 0)
        site_table_count(mapping->site);
    else
        mapping->stack = TRACEMALLOC_DUMP_OVERFLOW_STACK;
}

static int insert_at(size_t index, struct mapping mapping) {
    int status = make_room();
    if (status < 0)
        return status;
    memmove(mappings + index + 1, mappings + index, (count - index) * sizeof *mappings);
    count_mapping(&mapping);
    mappings[index] = mapping;
    count++;
    return 0;
}

static void erase_at(size_t index) {
    count--;
    memmove(mappings + index, mappings + index + 1, (count - index) * sizeof *mappings);
}

int mapping_table_remove(uintptr_t start, size_t length) {
    uintptr_t end = start + length;
    size_t index = first_behind(start);
    int status = 0;
    while (index < count && mappings[index].start < end) {
        struct mapping old = mappings[index];
        if (old.site != 0)
            site_table_discount(old.site);
        erase_at(index);
        if (old.start < start &&
            insert_at(index, (struct mapping){old.start, start, old.stack, 0}) == 0)
            index++;
        if (old.end > end)
            status = insert_at(index++, (struct mapping){end, old.end, old.stack, 0});
    }
    return status;
}

int mapping_table_add(uintptr_t start, size_t length, uint32_t stack) {
    int status = mapping_table_remove(start, length);
    if (status < 0)
        return status;
    return insert_at(first_behind(start),
                     (struct mapping){start, start + length, stack, 0});
}

int mapping_table_has(uintptr_t start, size_t length) {
    size_t index = first_behind(start);
    return index < count && mappings[index].start < start + length;
}

void mapping_table_clear(void) {
    count = 0;
}
