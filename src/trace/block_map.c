/* SPDX-License-Identifier: MIT */
#include "trace/block_map.h"

#include <errno.h>
#include <sys/mman.h>

#include "base/arena.h"
#include "base/sys.h"

enum { CHUNKS = 1 << (BLOCK_MAP_ADDRESS_BITS - BLOCK_MAP_CHUNK_SHIFT) };

struct block_map block_map = {.granule_shift = 4};

/* A list of the entries of level 1 that have a chunk: `next_chunk` has as many entries,
 * of which few are touched. */
static uint32_t *next_chunk;
static uint32_t
    newest_chunk; /* 0 ends the list: the lowest addresses are never mapped */

static size_t chunk_size(void) {
    return (sizeof(uint32_t) << BLOCK_MAP_CHUNK_SHIFT) >> block_map.granule_shift;
}

int block_map_open(unsigned granule) {
    if (block_map.chunks == NULL)
        block_map.chunks = arena_reserve(CHUNKS * sizeof *block_map.chunks);
    if (next_chunk == NULL)
        next_chunk = arena_reserve(CHUNKS * sizeof *next_chunk);
    if (block_map.chunks == NULL || next_chunk == NULL)
        return -ENOMEM;
    block_map.granule_shift = granule == 8 ? 3 : 4;
    return 0;
}

/* Two threads may meet here for the same chunk; the second gives its own back. */
static uint32_t *make_chunk(uint32_t **place) {
    uint32_t *chunk = arena_reserve(chunk_size()), *expected = NULL;
    if (chunk == NULL)
        return NULL;
    if (__atomic_compare_exchange_n(place, &expected, chunk, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE)) {
        uint32_t index = (uint32_t)(place - block_map.chunks);
        next_chunk[index] =
            __atomic_exchange_n(&newest_chunk, index + 1, __ATOMIC_ACQ_REL);
        return chunk;
    }
    sys_munmap(chunk, chunk_size());
    return expected;
}

uint32_t *block_map_make(uintptr_t address) {
    if (address >> BLOCK_MAP_ADDRESS_BITS)
        return NULL;
    uint32_t **place = &block_map.chunks[address >> BLOCK_MAP_CHUNK_SHIFT];
    if (*place == NULL && make_chunk(place) == NULL)
        return NULL;
    return block_map_find(address);
}

/* Every chunk that was made, the newest first. */
static uint32_t *first_chunk(uint32_t *index) {
    *index = newest_chunk;
    return *index != 0 ? block_map.chunks[*index - 1] : NULL;
}

static uint32_t *following_chunk(uint32_t *index) {
    *index = next_chunk[*index - 1];
    return *index != 0 ? block_map.chunks[*index - 1] : NULL;
}

void block_map_clear(void) {
    uint32_t index, *chunk;
    for (chunk = first_chunk(&index); chunk != NULL; chunk = following_chunk(&index))
        sys_madvise(chunk, chunk_size(), MADV_DONTNEED);
}

uint64_t block_map_bytes(const struct resident *resident) {
    uint64_t total = 0;
    uint32_t index, *chunk;
    for (chunk = first_chunk(&index); chunk != NULL; chunk = following_chunk(&index))
        total += resident_bytes(resident, (uintptr_t)chunk, chunk_size());
    return total;
}
