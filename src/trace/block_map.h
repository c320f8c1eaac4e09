/* SPDX-License-Identifier: MIT */
/* Address of a block to the bucket that counts it.
 *
 *   address >> 3 or 4  43          17 16           0
 *                     | key of chunk | slot in chunk |
 *
 *   slot = 0        not traced
 *          31: watched | 30..0: bucket or 0
 *
 * A slot belongs to whoever owns the block, so it needs no lock. A block leaves the map
 * before its address can be reused, that is before the real free. A chunk of slots is
 * mapped for each 2 MiB of addresses in use (1 MiB for CPython 3.6 and 3.7, whose
 * blocks are aligned to 8 bytes), and only its touched pages cost memory: 4 bytes per
 * granule. Chunks are found by their key in an open table. It has no hash: neighbours
 * lie side by side, and a chunk whose place is taken is found by steps that its key's
 * upper bits give. What is mapped is in proportion to the addresses in use, since it
 * all counts for RLIMIT_AS, and is locked by mlockall(2).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/resident.h"

enum {
    BLOCK_MAP_SLOT_BITS = 17,
    BLOCK_MAP_ADDRESS_BITS = 47,
};
/* More is known of this address than its bucket: see tracer_take_watched. */
#define BLOCK_MAP_WATCHED 0x80000000u
#define BLOCK_MAP_BUCKET 0x7fffffffu

/* Written once. A reader has the key before the rest. */
struct block_map_chunk {
    uintptr_t key;
    uintptr_t slots; /* address that the slot of granule 0 would have */
};

/* Read without a lock: the mask first. */
struct block_map {
    struct block_map_chunk *chunks; /* mask + 1; NULL until block_map_open */
    uintptr_t mask;
    unsigned granule_shift;
};

extern internal struct block_map block_map;

/* granule: 8 or 16 bytes. 0, or -ENOMEM. */
must_check int block_map_open(unsigned granule);
/* Forgets all blocks. */
void block_map_clear(void);
/* Bytes of memory that the map takes. */
uint64_t block_map_bytes(const struct resident *resident);

/* The slot, its chunk made where it is missing; NULL without memory. Under the tracer's
 * lock. */
uint32_t *block_map_make(uintptr_t address);

/* Whether a block may begin there: another address has its neighbour's slot. */
static always_inline bool block_map_is_start(uintptr_t address) {
    return (address & (((uintptr_t)1 << block_map.granule_shift) - 1)) == 0;
}

static always_inline uint32_t *block_map_slot(const struct block_map_chunk *chunk,
                                              uintptr_t granule) {
    uint32_t *slot = (uint32_t *)(chunk->slots + granule * sizeof(uint32_t));
    if (slot == NULL)
        __builtin_unreachable();
    return slot;
}

static always_inline const struct block_map_chunk *block_map_home(uintptr_t key) {
    uintptr_t mask = __atomic_load_n(&block_map.mask, __ATOMIC_ACQUIRE);
    return &block_map.chunks[key & mask];
}

/* The slot, if its chunk is where its key says: for paths that call nothing. NULL:
 * block_map_find may know it, but not if block_map_is_absent. */
static always_inline uint32_t *block_map_find_near(uintptr_t address) {
    uintptr_t granule = address >> block_map.granule_shift;
    uintptr_t key = granule >> BLOCK_MAP_SLOT_BITS;
    const struct block_map_chunk *chunk = block_map_home(key);
    bool found = __atomic_load_n(&chunk->key, __ATOMIC_ACQUIRE) == key;
    return likely(found) ? block_map_slot(chunk, granule) : NULL;
}

static always_inline bool block_map_is_absent(uintptr_t address) {
    uintptr_t key = (address >> block_map.granule_shift) >> BLOCK_MAP_SLOT_BITS;
    return key != 0 && block_map_home(key)->key == 0;
}

/* Of a chunk that is not where its key says, or not at all. */
uint32_t *block_map_find_displaced(uintptr_t address);

/* The slot; NULL where nothing near was ever inserted. */
static always_inline uint32_t *block_map_find(uintptr_t address) {
    uint32_t *slot = block_map_find_near(address);
    return likely(slot != NULL) ? slot : block_map_find_displaced(address);
}
