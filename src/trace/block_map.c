/* SPDX-License-Identifier: MIT */
#include "trace/block_map.h"

#include <errno.h>
#include <sys/mman.h>

#include "base/arena.h"
#include "base/sys.h"

enum { CHUNKS = 1 << (BLOCK_MAP_ADDRESS_BITS - BLOCK_MAP_CHUNK_SHIFT) };

struct block_map block_map = {.granule_shift = 4};

static size_t chunk_size(void) {
    return (sizeof(uint32_t) << BLOCK_MAP_CHUNK_SHIFT) >> block_map.granule_shift;
}

int block_map_open(unsigned granule) {
    if (block_map.chunks == NULL)
        block_map.chunks = arena_reserve(CHUNKS * sizeof *block_map.chunks);
    if (block_map.chunks == NULL)
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
                                    __ATOMIC_ACQUIRE))
        return chunk;
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

struct visit {
    void (*chunk)(uint32_t *chunk, uint64_t *total);
    uint64_t *total;
};

static void visit_page(void *page, void *context) {
    const struct visit *visit = context;
    uint32_t *const *chunks = page;
    for (size_t at = 0; at < ARENA_PAGE / sizeof *chunks; at++)
        if (chunks[at] != NULL)
            visit->chunk(chunks[at], visit->total);
}

/* Level 1 is walked by its pages that are in memory, which are few. */
static void for_each_chunk(void (*chunk)(uint32_t *chunk, uint64_t *total), uint64_t *total) {
    struct visit visit = {chunk, total};
    if (block_map.chunks != NULL)
        arena_resident(block_map.chunks, CHUNKS * sizeof *block_map.chunks, visit_page, &visit);
}

static void clear_chunk(uint32_t *chunk, uint64_t *total) {
    (void)total;
    sys_madvise(chunk, chunk_size(), MADV_DONTNEED);
}

void block_map_clear(void) { for_each_chunk(clear_chunk, NULL); }

static void add_chunk(uint32_t *chunk, uint64_t *total) {
    *total += arena_resident(chunk, chunk_size(), NULL, NULL);
}

uint64_t block_map_bytes(void) {
    uint64_t total = 0;
    for_each_chunk(add_chunk, &total);
    return total;
}
