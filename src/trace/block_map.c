/* SPDX-License-Identifier: MIT */
#include "trace/block_map.h"

#include <errno.h>
#include <sys/mman.h>

#include "base/arena.h"
#include "base/machine.h"
#include "base/sys.h"

enum { FIRST_CHUNKS = 1 << 12, REGIONS = 256 };

static const size_t chunk_size = sizeof(uint32_t) << BLOCK_MAP_SLOT_BITS;
static const uintptr_t no_key = UINTPTR_MAX;

struct block_map block_map = {.granule_shift = 4};
struct address_map block_map_sampled;

/* The table of all blocks, and one as large in its place while blocks are sampled: a
 * reader with the mask of one may be in the other. */
static struct block_map_chunk *full_table, *empty_table;

/* The number of a process's mappings is limited, so chunks are mapped in regions, each
 * an eighth of all chunks so far: REGIONS of them cover all addresses. Under the
 * tracer's lock. */
static struct region {
    unsigned char *start;
    uint64_t chunks;
} regions[REGIONS];
static unsigned region_count;
static uint64_t unused;      /* chunks at the end of the last region */
static uint64_t chunk_count; /* in the table */

/* The entry before a table holds its mask, so that a reader cannot pair a table with
 * the mask of another one. Position 0 is for key 0 alone; in all other positions key 0
 * means free, and no_key that no chunk is there. */
static struct block_map_chunk *make_table(uintptr_t mask) {
    struct block_map_chunk *table = arena_reserve((mask + 2) * sizeof *table);
    if (table == NULL)
        return NULL;
    table[0].key = mask;
    table[1].key = no_key;
    return table + 1;
}

static bool is_chunk(const struct block_map_chunk *table, uintptr_t at) {
    return table[at].key != no_key && (table[at].key != 0 || at == 0);
}

/* A reader that loads the new mask also loads the new table. One that pairs an older
 * mask with the new table finds the chunk of its key, or takes the slow path: see
 * occupy_earlier_homes. Model: tests/models/block_map.pml. */
static void publish(struct block_map_chunk *chunks) {
    __atomic_store_n(&block_map.chunks, chunks, __ATOMIC_RELEASE);
    uintptr_t mask = chunks[-1].key;
    __atomic_store_n(&block_map.mask, mask, __ATOMIC_RELEASE);
    __atomic_store_n(&block_map.offset_mask, mask * sizeof *chunks, __ATOMIC_RELEASE);
}

static int open_tables(void) {
    if (full_table == NULL)
        full_table = make_table(FIRST_CHUNKS - 1);
    if (full_table != NULL &&
        (empty_table == NULL || empty_table[-1].key != full_table[-1].key))
        empty_table = make_table(full_table[-1].key);
    return full_table != NULL && empty_table != NULL ? 0 : -ENOMEM;
}

int block_map_open(unsigned granule, bool is_sampled) {
    if (open_tables() < 0)
        return -ENOMEM;
    publish(is_sampled ? empty_table : full_table);
    block_map.is_sampled = is_sampled;
    block_map.granule_shift = granule == BLOCK_MAP_GRANULE ? 4 : 3;
    return 0;
}

/* The chunk with this key, or the free position where it belongs. */
static struct block_map_chunk *find_chunk(struct block_map_chunk *chunks,
                                          uintptr_t key) {
    const uintptr_t step = (key / FIRST_CHUNKS * 0x9e3779b97f4a7c15u >> 32) | 1;
    const uintptr_t mask = chunks[-1].key;
    if (key == 0)
        return chunks;
    for (uintptr_t at = key & mask;; at = (at + step) & mask) {
        uintptr_t found = __atomic_load_n(&chunks[at].key, __ATOMIC_ACQUIRE);
        if (at != 0 && (found == key || found == 0))
            return &chunks[at];
    }
}

uint32_t *block_map_find_displaced(uintptr_t address) {
    if (block_map.is_sampled)
        return address_map_find(&block_map_sampled, address);
    uintptr_t granule = address >> block_map.granule_shift;
    struct block_map_chunk *chunks =
        __atomic_load_n(&block_map.chunks, __ATOMIC_ACQUIRE);
    uintptr_t key = granule >> BLOCK_MAP_SLOT_BITS;
    const struct block_map_chunk *chunk = find_chunk(chunks, key);
    bool found = __atomic_load_n(&chunk->key, __ATOMIC_ACQUIRE) == key;
    return found ? block_map_slot(chunk, granule) : NULL;
}

static void put(struct block_map_chunk *chunks, uintptr_t key, uintptr_t slots) {
    struct block_map_chunk *chunk = find_chunk(chunks, key);
    chunk->slots = slots;
    __atomic_store_n(&chunk->key, key, __ATOMIC_RELEASE);
}

/* A reader may load the mask of an earlier table, and then this table. The position
 * that it finds so must not be free: it would take the key for absent. */
static void occupy_earlier_homes(struct block_map_chunk *chunks, uintptr_t key) {
    for (uintptr_t mask = FIRST_CHUNKS - 1; mask < chunks[-1].key; mask = mask * 2 + 1)
        if (chunks[key & mask].key == 0 && (key & mask) != 0)
            chunks[key & mask].key = no_key;
}

/* The old table stays mapped: other threads may be reading it. */
static int grow(void) {
    struct block_map_chunk *old = block_map.chunks;
    struct block_map_chunk *chunks = make_table(block_map.mask * 2 + 1);
    if (chunks == NULL)
        return -ENOMEM;
    for (uintptr_t i = 0; i <= block_map.mask; i++)
        if (is_chunk(old, i))
            put(chunks, old[i].key, old[i].slots);
    for (uintptr_t i = 0; i <= block_map.mask; i++)
        if (is_chunk(old, i))
            occupy_earlier_homes(chunks, old[i].key);
    full_table = chunks;
    publish(chunks);
    return 0;
}

static int add_region(uint64_t chunks) {
    void *start = region_count < REGIONS ? arena_reserve(chunks * chunk_size) : NULL;
    if (start == NULL)
        return -ENOMEM;
    regions[region_count++] = (struct region){start, chunks};
    unused = chunks;
    return 0;
}

static unsigned char *take_chunk(void) {
    uint64_t wanted = chunk_count / 8;
    if (unused == 0 && (wanted <= 1 || add_region(wanted) < 0) && add_region(1) < 0)
        return NULL;
    const struct region *last = &regions[region_count - 1];
    return last->start + (last->chunks - unused--) * chunk_size;
}

uint32_t *block_map_make(uintptr_t address) {
    if (block_map.is_sampled)
        return address_map_make(&block_map_sampled, address);
    uint32_t *slot = block_map_find(address);
    if (slot != NULL || address >> MACHINE_ADDRESS_BITS)
        return slot;
    if (chunk_count >= block_map.mask / 4 * 3 && grow() < 0)
        return NULL;
    uintptr_t slots = (uintptr_t)take_chunk();
    if (slots == 0)
        return NULL;
    uintptr_t key = (address >> block_map.granule_shift) >> BLOCK_MAP_SLOT_BITS;
    put(block_map.chunks, key, slots - key * chunk_size);
    chunk_count++;
    return block_map_find(address);
}

void block_map_clear(void) {
    address_map_clear(&block_map_sampled);
    for (unsigned i = 0; i < region_count; i++)
        arena_clear(regions[i].start, regions[i].chunks * chunk_size);
}

/* Reading an absent page would map it. What mincore does not say is not visited. */
static bool visit_chunk(const struct block_map_chunk *chunk,
                        bool (*visit)(uintptr_t address, const uint32_t *slots,
                                      unsigned count, void *context),
                        void *context) {
    enum { MAX_PAGES = (sizeof(uint32_t) << BLOCK_MAP_SLOT_BITS) / MACHINE_MIN_PAGE };
    unsigned char present[MAX_PAGES];
    const unsigned pages = (unsigned)(chunk_size / machine_page_size());
    const unsigned page_slots = (unsigned)(machine_page_size() / sizeof(uint32_t));
    uintptr_t granule = chunk->key << BLOCK_MAP_SLOT_BITS;
    const uint32_t *slots = block_map_slot(chunk, granule);
    if (sys_call(SYS_mincore, slots, chunk_size, present) < 0)
        return true;
    for (unsigned page = 0; page < pages; page++, granule += page_slots)
        if ((present[page] & 1) != 0 &&
            !visit(granule << block_map.granule_shift, slots + page * page_slots,
                   page_slots, context))
            return false;
    return true;
}

static bool visit_chunks(bool (*visit)(uintptr_t address, const uint32_t *slots,
                                       unsigned count, void *context),
                         void *context) {
    const struct block_map_chunk *chunks = block_map.chunks;
    for (uintptr_t i = 0; chunks != NULL && i <= block_map.mask; i++)
        if (is_chunk(chunks, i) && !visit_chunk(&chunks[i], visit, context))
            return false;
    return true;
}

bool block_map_visit(bool (*visit)(uintptr_t address, const uint32_t *slots,
                                   unsigned count, void *context),
                     void *context) {
    return block_map.is_sampled ? address_map_visit(&block_map_sampled, visit, context)
                                : visit_chunks(visit, context);
}

uint64_t block_map_bytes(const struct resident *resident) {
    uint64_t total = 0;
    for (unsigned i = 0; i < region_count; i++)
        total += resident_bytes(resident, (uintptr_t)regions[i].start,
                                regions[i].chunks * chunk_size);
    return total;
}
