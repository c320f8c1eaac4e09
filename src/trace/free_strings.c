/* SPDX-License-Identifier: MIT */
#include "trace/free_strings.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"

enum { UNIT = 4, SIZES = FREE_STRINGS_MAX_BYTES / UNIT + 1 };

struct free_slot {
    uint32_t offset;
    uint32_t next; /* index of a slot of the same size; 0: the last one */
};

static struct free_slot *slots; /* index 0 is unused */
static uint64_t count, capacity;
static uint32_t first[SIZES];

int free_strings_open(uint64_t max) {
    free_strings_close();
    slots = arena_map((max + 1) * sizeof *slots);
    if (slots == NULL)
        return -ENOMEM;
    capacity = max + 1;
    count = 1;
    return 0;
}

void free_strings_close(void) {
    if (slots != NULL)
        arena_unmap(slots, capacity * sizeof *slots);
    slots = NULL;
    memset(first, 0, sizeof first);
}

void free_strings_add(uint32_t offset, uint64_t size) {
    if (size > FREE_STRINGS_MAX_BYTES || count == capacity)
        return;
    slots[count] = (struct free_slot){offset, first[size / UNIT]};
    first[size / UNIT] = (uint32_t)count++;
}

uint32_t free_strings_take(uint64_t size) {
    uint32_t at = size <= FREE_STRINGS_MAX_BYTES ? first[size / UNIT] : 0;
    if (at == 0)
        return 0;
    first[size / UNIT] = slots[at].next;
    return slots[at].offset;
}
