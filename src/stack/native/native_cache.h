/* SPDX-License-Identifier: MIT */
/* A cache of merged stacks: (node, frame that is added to it) to the node of both.
 *
 * Indexed by the dump's ids of nodes. What is learned together lies side by side, so
 * that a stack is found again in a few cache lines, where the tree's own index scatters
 * it. Shared by all threads: under the tracer's lock, or with one thread. Memory comes
 * from the arena; without it nothing is learned.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

enum { NATIVE_CACHE_SIBLINGS = 16 };

struct native_cache_entry {
    uint64_t key;     /* frame that this node adds to its parent; 0: not cached */
    uint32_t child;   /* the one cached last; 0: none */
    uint32_t sibling; /* the next of the same parent */
};

struct native_cache {
    struct native_cache_entry *entries; /* by node */
    uint32_t count;                     /* capacity */
};

extern struct native_cache native_cache;

/* Begins empty. */
void native_cache_open(void);
void native_cache_close(void);
void native_cache_add(uint32_t parent, uint64_t key, uint32_t node);

/* The node, or 0. A key is never 0. */
static always_inline uint32_t native_cache_find(uint32_t parent, uint64_t key) {
    const struct native_cache_entry *entries = native_cache.entries;
    if (unlikely(parent >= native_cache.count))
        return 0;
    uint32_t node = entries[parent].child, left = NATIVE_CACHE_SIBLINGS;
    while (node != 0 && entries[node].key != key)
        node = --left > 0 ? entries[node].sibling : 0;
    return node;
}
