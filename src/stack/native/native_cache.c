/* SPDX-License-Identifier: MIT */
#include "stack/native/native_cache.h"

#include <assert.h>

#include "base/arena_array.h"

struct native_cache native_cache;

void native_cache_open(void) {
    native_cache_close();
}

void native_cache_close(void) {
    arena_array_release(&native_cache.entries, &native_cache.count,
                        sizeof *native_cache.entries);
}

/* Two frames of Python may have the same node: the first one to be met is known. A
 * child is always newer than its parent, but for the one of stacks that found no
 * room. */
void native_cache_add(uint32_t parent, uint64_t key, uint32_t node) {
    if (node <= parent ||
        arena_array_reserve(&native_cache.entries, &native_cache.count,
                            (uint64_t)node + 1, sizeof *native_cache.entries) < 0)
        return;
    struct native_cache_entry *entry = native_cache.entries + node;
    if (entry->key != 0)
        return;
    assert(parent < native_cache.count);
    entry->key = key;
    entry->sibling = native_cache.entries[parent].child;
    native_cache.entries[parent].child = node;
}
