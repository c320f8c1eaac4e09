/* SPDX-License-Identifier: MIT */
#include "trace/free_strings.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"

enum { UNIT = 4, SIZES = FREE_STRINGS_LONGEST / UNIT + 1 };

struct place {
    uint32_t offset;
    uint32_t next; /* of the same size; 0: the last */
};

static struct place *places; /* 0 is unused */
static uint64_t count, capacity;
static uint32_t first[SIZES];

int free_strings_open(uint64_t most) {
    free_strings_close();
    places = arena_map((most + 1) * sizeof *places);
    if (places == NULL)
        return -ENOMEM;
    capacity = most + 1;
    count = 1;
    return 0;
}

void free_strings_close(void) {
    if (places != NULL)
        arena_unmap(places, capacity * sizeof *places);
    places = NULL;
    memset(first, 0, sizeof first);
}

void free_strings_add(uint32_t offset, uint64_t size) {
    if (size > FREE_STRINGS_LONGEST || count == capacity)
        return;
    places[count] = (struct place){offset, first[size / UNIT]};
    first[size / UNIT] = (uint32_t)count++;
}

uint32_t free_strings_take(uint64_t size) {
    uint32_t at = size <= FREE_STRINGS_LONGEST ? first[size / UNIT] : 0;
    if (at == 0)
        return 0;
    first[size / UNIT] = places[at].next;
    return places[at].offset;
}
