/* SPDX-License-Identifier: MIT */
/* A cache of what the walk found: (parent node, instruction) to node, and code objects.
 *
 * An entry is valid as long as its code object lives, whose address may be reused:
 * python_cache_forget drops all entries of a dead one and raises the epoch, so that
 * threads drop their last stacks. Under the tracer's lock, or with one
 * thread. Memory comes from the arena.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/epoch.h"
#include "base/hash.h"
#include "base/id_set.h"
#include "base/id_table.h"

/* The first entries of a parent form a list; all others are in an index. Most parents
 * have few children, and entries that are added in a row lie side by side: a list takes
 * one or two cache lines, where an index scatters entries over the memory. */
struct python_cache_entry {
    uint64_t ip;
    uint32_t parent;
    uint32_t node;
    uint32_t sibling; /* of the same parent; 0: the last */
    uint32_t code;    /* index of its code object */
    uint32_t next;    /* of the same code object; 0: the last */
    uint32_t reserved;
};

enum { PYTHON_CACHE_SIBLINGS = 4 };

struct python_cache {
    struct id_table index;              /* of entries that are in no list */
    struct python_cache_entry *entries; /* 0 is unused */
    uint32_t *first_child;              /* by parent: the first of its list; 0: none */
    uint32_t parents;                   /* capacity of first_child */
};

extern internal struct python_cache python_cache;

/* 0, or -ENOMEM. */
must_check int python_cache_open(void);
void python_cache_close(void);

/* The index of a cached code object, or 0. */
uint32_t python_cache_code(uintptr_t address);
/* Caches a code object with its id in the dump. Its index; 0 without memory. */
uint32_t python_cache_add_code(uintptr_t address, uint32_t id);
/* The id in the dump of a cached code object. */
uint32_t python_cache_code_id(uint32_t code);
/* Without memory the pair is not cached. */
void python_cache_add(uint32_t parent, uint64_t ip, uint32_t node, uint32_t code);
/* The code object at this address is freed. */
void python_cache_forget(uintptr_t address);

static always_inline uint64_t python_cache_hash(uint32_t parent, uint64_t ip) {
    return hash_mix(hash_mix(ip) + parent);
}

bool python_cache_search(uint32_t parent, uint64_t ip, uint32_t *node);

/* True and the node, or false. */
static always_inline bool python_cache_find(uint32_t parent, uint64_t ip,
                                            uint32_t *node) {
    uint32_t id = parent < python_cache.parents ? python_cache.first_child[parent] : 0;
    while (id != 0) {
        const struct python_cache_entry *entry = python_cache.entries + id;
        if (entry->ip == ip) {
            *node = entry->node;
            return true;
        }
        id = entry->sibling;
    }
    return python_cache_search(parent, ip, node);
}

/* All code objects may have been freed. */
void python_cache_forget_all(void);

/* Removes from `codes` the ids in the dump of all cached code objects. */
void python_cache_mark_live_codes(struct id_set *codes);
/* These nodes mean something else from now on, and what became the overflow may find
 * room: forgets what leads to one of them, or from one. The caller raises the epoch. */
void python_cache_forget_nodes(const struct id_set *nodes);
