/* SPDX-License-Identifier: MIT */
#include "base/arena_array.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/machine.h"

int arena_array_reserve(void *entries, uint32_t *capacity, uint64_t wanted,
                        size_t entry_size) {
    void *old, *grown;
    if (wanted <= *capacity)
        return 0;
    uint64_t larger =
        *capacity != 0 ? *capacity : machine_whole_pages(entry_size) / entry_size;
    while (larger < wanted && larger <= UINT32_MAX)
        larger *= 2;
    if (larger > UINT32_MAX)
        return -ENOMEM;
    memcpy(&old, entries, sizeof old);
    grown = *capacity == 0
                ? arena_map(larger * entry_size)
                : arena_grow(old, *capacity * entry_size, larger * entry_size);
    if (grown == NULL)
        return -ENOMEM;
    memcpy(entries, &grown, sizeof grown);
    *capacity = (uint32_t)larger;
    return 0;
}

void arena_array_release(void *entries, uint32_t *capacity, size_t entry_size) {
    void *old;
    memcpy(&old, entries, sizeof old);
    if (*capacity != 0)
        arena_unmap(old, *capacity * entry_size);
    memset(entries, 0, sizeof old);
    *capacity = 0;
}
