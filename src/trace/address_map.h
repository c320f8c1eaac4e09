/* SPDX-License-Identifier: MIT */
/* A few addresses among many, each with a slot of 32 bits: where a sampled process
 * keeps its sampled blocks.
 *
 *   filter   one bit for each granule of 16 bytes modulo 16 MiB, set if any address in
 *            the map has it: where the bit is clear the address is not there. It is
 *            read at each free, and 128 bytes of memory in use lie behind one of its
 *            bytes, so that what is read stays in the cache.
 *   heads    lists of entries, by the hash of the granule: the addresses that share a
 *            bit are in one list, so that the last one to go clears it
 *   entries  never move and are never unmapped, for they are read without a lock
 *
 * All functions are called under the tracer's lock, or with one thread; only
 * address_map_passes and address_map_may_have are for any thread, also in a signal
 * handler. The owner of a block owns its entry's slot.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

enum {
    ADDRESS_MAP_BITS = 1 << 20,
    ADDRESS_MAP_WORDS = ADDRESS_MAP_BITS / 64,
    ADDRESS_MAP_FIRST = 256, /* entries of the first part */
    ADDRESS_MAP_PARTS = 22,
    ADDRESS_MAP_GRANULE_SHIFT = 4,
};

struct address_map_entry {
    uintptr_t address; /* 0: free */
    uint32_t slot;
    uint32_t next; /* in its list, or in that of free entries; 0 ends it */
};

struct address_map {
    uint64_t filter[ADDRESS_MAP_WORDS];
    struct address_map_entry *parts[ADDRESS_MAP_PARTS]; /* each twice the one before */
    uint32_t *heads;  /* preceded by its mask; NULL while the map was never used */
    uint32_t version; /* odd while lists change, which other threads may read */
    uint32_t count;   /* entries in use */
    uint32_t used;    /* entries that were ever in use; 0 is none */
    uint32_t first_free;
};

static always_inline size_t address_map_bit(uintptr_t address) {
    return (address >> ADDRESS_MAP_GRANULE_SHIFT) % ADDRESS_MAP_BITS;
}

/* Whether the filter lets an address pass. It stops most that are not in the map. */
static always_inline bool address_map_passes(const struct address_map *map,
                                             uintptr_t address) {
    size_t bit = address_map_bit(address);
    uint64_t word = __atomic_load_n(&map->filter[bit / 64], __ATOMIC_RELAXED);
    return unlikely(word >> bit % 64 & 1);
}

/* For an address that passes the filter, of a block that the caller owns. False: it is
 * not in the map. True: it is, or another thread is changing the lists. */
bool address_map_may_have(const struct address_map *map, uintptr_t address);

/* The slot of an address; NULL if it is not in the map. */
uint32_t *address_map_find(struct address_map *map, uintptr_t address);
/* The slot of an address, which is added with a slot of 0 if it is missing; NULL if
 * there is no memory. */
uint32_t *address_map_make(struct address_map *map, uintptr_t address);
/* Removes an address whose slot is 0, if it is there. */
void address_map_remove_empty(struct address_map *map, uintptr_t address);
/* Removes all addresses. The mappings stay; their pages go back to the kernel if it
 * takes them. */
void address_map_clear(struct address_map *map);

/* Calls `visit` for each slot that is not 0, alone, until it returns false. Whether it
 * never did. */
bool address_map_visit(const struct address_map *map,
                       bool (*visit)(uintptr_t address, const uint32_t *slots,
                                     unsigned count, void *context),
                       void *context);
