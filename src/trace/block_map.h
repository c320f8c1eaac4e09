/* SPDX-License-Identifier: MIT */
/* Address of a block to the site that counts it.
 *
 *   address  47        26 25            4 3  0
 *           | level 1    | slot in chunk | 0 |      slot = 0        not traced
 *                                                   31: watched | 30..0: site or 0
 *
 * No hashing and no lock: a slot belongs to whoever owns the block. A block leaves the
 * map before its address can be reused, that is before the real free. Level 1 has 2^21
 * entries; a chunk of slots is reserved for each 64 MiB of addresses in use, and only
 * its touched pages cost memory: 4 bytes per granule. The granule is the interpreter's
 * alignment: 16 bytes, and 8 for CPython 3.6 and 3.7.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/resident.h"

enum {
    BLOCK_MAP_CHUNK_SHIFT = 26,
    BLOCK_MAP_ADDRESS_BITS = 47,
};
/* More is known of this address than its site: see tracer_take_watched. */
#define BLOCK_MAP_WATCHED 0x80000000u
#define BLOCK_MAP_SITE 0x7fffffffu

struct block_map {
    uint32_t **chunks; /* NULL until block_map_open */
    unsigned granule_shift;
};

extern internal struct block_map block_map;

/* granule: 8 or 16 bytes. 0, or -ENOMEM. */
must_check int block_map_open(unsigned granule);
/* Forgets all blocks. */
void block_map_clear(void);
/* Bytes of memory that the map takes. */
uint64_t block_map_bytes(const struct resident *resident);

/* The slot, its chunk made where it is missing; NULL without memory. */
uint32_t *block_map_make(uintptr_t address);

/* Whether a block may begin there: another address has its neighbour's slot. */
static always_inline bool block_map_is_start(uintptr_t address) {
    return (address & (((uintptr_t)1 << block_map.granule_shift) - 1)) == 0;
}

/* The slot; NULL where nothing near was ever inserted. */
static always_inline uint32_t *block_map_find(uintptr_t address) {
    if (unlikely(address >> BLOCK_MAP_ADDRESS_BITS))
        return NULL;
    uint32_t *chunk = block_map.chunks[address >> BLOCK_MAP_CHUNK_SHIFT];
    if (unlikely(chunk == NULL))
        return NULL;
    uintptr_t offset = address & (((uintptr_t)1 << BLOCK_MAP_CHUNK_SHIFT) - 1);
    return chunk + (offset >> block_map.granule_shift);
}
