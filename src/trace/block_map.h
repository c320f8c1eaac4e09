/* SPDX-License-Identifier: MIT */
/* Maps the address of a block to the bucket that counts it.
 *
 *   address >> 3 or 4  44          17 16           0
 *                     | key of chunk | slot in chunk |
 *
 *   slot = 0        not traced
 *          31: watched | 30..0: bucket or 0
 *
 * The owner of a block owns its slot, so a slot needs no lock. A block leaves the map
 * before its address can be reused, that is before the real free. One chunk of slots is
 * mapped for each 2 MiB of addresses in use (1 MiB for CPython 3.6 and 3.7, which align
 * blocks to 8 bytes). Only touched pages of a chunk cost memory: 4 bytes per granule.
 *
 * The chunks are in an open-addressing table. The lower bits of a chunk's key are its
 * home position, so neighbours in memory are neighbours in the table; after a collision
 * the probe step comes from the key's upper bits. The mappings grow with the addresses
 * in use, because all of them count for RLIMIT_AS and are locked by mlockall(2).
 */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/resident.h"
#include "trace/address_map.h"

enum {
    BLOCK_MAP_SLOT_BITS = 17,
    BLOCK_MAP_GRANULE = 16, /* bytes, except for CPython 3.6 and 3.7 */
};
/* The tracer waits for the free of this address: see tracer_take_watched. */
#define BLOCK_MAP_WATCHED 0x80000000u
#define BLOCK_MAP_BUCKET 0x7fffffffu

/* Written once: first the slots, then the key. */
struct block_map_chunk {
    uintptr_t key;
    uintptr_t slots; /* where the slot of granule 0 would be */
};

/* Readers take no lock; they load the mask before the chunks. While blocks are sampled
 * there are no chunks, and the slots are in block_map_sampled. */
struct block_map {
    struct block_map_chunk *chunks; /* mask + 1; NULL until block_map_open */
    uintptr_t mask;
    uintptr_t offset_mask; /* of a chunk's offset in bytes */
    unsigned granule_shift;
    bool is_sampled;
};

extern internal struct block_map block_map;
extern internal struct address_map block_map_sampled;

/* granule: 8 or 16 bytes. 0, or -ENOMEM. */
must_check int block_map_open(unsigned granule, bool is_sampled);
/* Forgets all blocks. */
void block_map_clear(void);
/* The resident bytes of the map. */
uint64_t block_map_bytes(const struct resident *resident);

/* Calls `visit` with the slots of consecutive granules, the first of which is at an
 * address, until it returns false; all slots that are not 0 are among them. Whether it
 * never did. Skips pages that were never written. Under the tracer's lock. */
bool block_map_visit(bool (*visit)(uintptr_t address, const uint32_t *slots,
                                   unsigned count, void *context),
                     void *context);

/* The slot, in a new chunk if there is none; NULL if there is no memory. Under the
 * tracer's lock. */
uint32_t *block_map_make(uintptr_t address);

/* Whether a block that the caller owns may have been sampled: false for nearly all that
 * were not. Any thread, without a lock, also in a signal handler. */
static always_inline bool block_map_may_be_sampled(uintptr_t address) {
    return address_map_passes(&block_map_sampled, address) &&
           address_map_may_have(&block_map_sampled, address);
}

/* Whether a block can begin at the address: only the start of a granule has a slot of
 * its own. */
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

/* The position where the search for a chunk begins. */
static always_inline const struct block_map_chunk *block_map_home(uintptr_t key) {
    uintptr_t mask = __atomic_load_n(&block_map.mask, __ATOMIC_ACQUIRE);
    return &block_map.chunks[key & mask];
}

/* The slot, if its chunk is in its home position; makes no calls. If NULL,
 * block_map_find may still find it, unless block_map_is_absent. */
static always_inline uint32_t *block_map_find_near(uintptr_t address) {
    uintptr_t granule = address >> block_map.granule_shift;
    uintptr_t key = granule >> BLOCK_MAP_SLOT_BITS;
    const struct block_map_chunk *chunk = block_map_home(key);
    bool found = __atomic_load_n(&chunk->key, __ATOMIC_ACQUIRE) == key;
    return likely(found) ? block_map_slot(chunk, granule) : NULL;
}

/* As block_map_find_near, if the granule is BLOCK_MAP_GRANULE. Under the tracer's
 * lock. */
static always_inline uint32_t *block_map_find_fast(uintptr_t address) {
    enum { GRANULE_SHIFT = 4, CHUNK_SHIFT = 4 };
    static_assert(1 << GRANULE_SHIFT == BLOCK_MAP_GRANULE, "the granule");
    static_assert(1 << CHUNK_SHIFT == sizeof(struct block_map_chunk), "a chunk");
    uintptr_t granule = address >> GRANULE_SHIFT, key = granule >> BLOCK_MAP_SLOT_BITS;
    uintptr_t offset = address >> (GRANULE_SHIFT + BLOCK_MAP_SLOT_BITS - CHUNK_SHIFT);
    const struct block_map_chunk *chunk =
        (const void *)((const char *)block_map.chunks +
                       (offset & block_map.offset_mask));
    return likely(chunk->key == key) ? block_map_slot(chunk, granule) : NULL;
}

/* Whether nothing near the address was ever inserted; false if that is uncertain. */
static always_inline bool block_map_is_absent(uintptr_t address) {
    uintptr_t key = (address >> block_map.granule_shift) >> BLOCK_MAP_SLOT_BITS;
    return key != 0 && block_map_home(key)->key == 0;
}

/* The slot, if its chunk is in another position than its home; else NULL. */
uint32_t *block_map_find_displaced(uintptr_t address);

/* The slot; NULL if nothing near the address was ever inserted. */
static always_inline uint32_t *block_map_find(uintptr_t address) {
    uint32_t *slot = block_map_find_near(address);
    return likely(slot != NULL) ? slot : block_map_find_displaced(address);
}
