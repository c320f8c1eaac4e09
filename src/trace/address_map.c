/* SPDX-License-Identifier: MIT */
#include "trace/address_map.h"

#include <string.h>
#include <sys/mman.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/sys.h"

enum { FIRST_HEADS = 1024, MAX_STEPS = 64 };

/* Entry 1 is the first of part 0, which has ADDRESS_MAP_FIRST. */
static struct address_map_entry *entry_at(const struct address_map *map, uint32_t id) {
    uint32_t place = id - 1 + ADDRESS_MAP_FIRST;
    unsigned part = 31 - (unsigned)__builtin_clz(place / ADDRESS_MAP_FIRST);
    struct address_map_entry *entries =
        __atomic_load_n(&map->parts[part], __ATOMIC_ACQUIRE);
    return entries + (place - ((uint32_t)ADDRESS_MAP_FIRST << part));
}

static size_t part_size(unsigned part) {
    return ((size_t)ADDRESS_MAP_FIRST << part) * sizeof(struct address_map_entry);
}

static uint32_t *head_of(uint32_t *heads, uintptr_t address) {
    uint64_t hash = hash_mix(address_map_bit(address));
    return &heads[hash >> 32 & heads[-1]];
}

static void begin_change(struct address_map *map) {
    __atomic_store_n(&map->version, map->version + 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
}

static void end_change(struct address_map *map) {
    __atomic_store_n(&map->version, map->version + 1, __ATOMIC_RELEASE);
}

/* The id of the entry, or 0. Without the lock, while another thread changes the lists,
 * the answer may be wrong, but takes at most `steps`. */
static uint32_t walk(const struct address_map *map, uint32_t *heads, uintptr_t address,
                     unsigned steps) {
    uint32_t id = __atomic_load_n(head_of(heads, address), __ATOMIC_ACQUIRE);
    while (id != 0 && steps-- > 0) {
        const struct address_map_entry *entry = entry_at(map, id);
        if (__atomic_load_n(&entry->address, __ATOMIC_RELAXED) == address)
            return id;
        id = __atomic_load_n(&entry->next, __ATOMIC_ACQUIRE);
    }
    return id;
}

bool address_map_may_have(const struct address_map *map, uintptr_t address) {
    uint32_t version = __atomic_load_n(&map->version, __ATOMIC_ACQUIRE);
    uint32_t *heads = __atomic_load_n(&map->heads, __ATOMIC_ACQUIRE);
    if (heads == NULL)
        return false;
    bool found = (version & 1) != 0 || walk(map, heads, address, MAX_STEPS) != 0;
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return found || __atomic_load_n(&map->version, __ATOMIC_RELAXED) != version;
}

uint32_t *address_map_find(struct address_map *map, uintptr_t address) {
    uint32_t id = map->heads != NULL && address_map_passes(map, address)
                      ? walk(map, map->heads, address, UINT32_MAX)
                      : 0;
    return id != 0 ? &entry_at(map, id)->slot : NULL;
}

static uint32_t *make_heads(uint32_t count) {
    uint32_t *heads = arena_map((count + 1) * sizeof *heads);
    if (heads == NULL)
        return NULL;
    heads[0] = count - 1;
    return heads + 1;
}

static void link_entry(struct address_map *map, uint32_t *heads, uint32_t id) {
    struct address_map_entry *entry = entry_at(map, id);
    uint32_t *head = head_of(heads, entry->address);
    __atomic_store_n(&entry->next, *head, __ATOMIC_RELAXED);
    __atomic_store_n(head, id, __ATOMIC_RELEASE);
}

/* The old lists stay mapped, for there may be readers in them. */
static int grow_heads(struct address_map *map) {
    uint32_t count = map->heads == NULL ? FIRST_HEADS : (map->heads[-1] + 1) * 2;
    uint32_t *heads = make_heads(count);
    if (heads == NULL)
        return map->heads == NULL ? -1 : 0;
    begin_change(map);
    for (uint32_t id = 1; id <= map->used; id++)
        if (entry_at(map, id)->address != 0)
            link_entry(map, heads, id);
    __atomic_store_n(&map->heads, heads, __ATOMIC_RELEASE);
    end_change(map);
    return 0;
}

static uint32_t take_entry(struct address_map *map) {
    uint32_t id = map->first_free;
    if (id != 0) {
        map->first_free = entry_at(map, id)->next;
        return id;
    }
    uint32_t place = map->used + ADDRESS_MAP_FIRST;
    unsigned part = 31 - (unsigned)__builtin_clz(place / ADDRESS_MAP_FIRST);
    if (part >= ADDRESS_MAP_PARTS)
        return 0;
    if (map->parts[part] == NULL) {
        struct address_map_entry *entries = arena_map(part_size(part));
        if (entries == NULL)
            return 0;
        __atomic_store_n(&map->parts[part], entries, __ATOMIC_RELEASE);
    }
    return ++map->used;
}

static void set_bit(struct address_map *map, uintptr_t address) {
    size_t bit = address_map_bit(address);
    uint64_t word = map->filter[bit / 64] | (uint64_t)1 << bit % 64;
    __atomic_store_n(&map->filter[bit / 64], word, __ATOMIC_RELAXED);
}

static void clear_bit(struct address_map *map, uintptr_t address) {
    size_t bit = address_map_bit(address);
    uint64_t word = map->filter[bit / 64] & ~((uint64_t)1 << bit % 64);
    __atomic_store_n(&map->filter[bit / 64], word, __ATOMIC_RELAXED);
}

uint32_t *address_map_make(struct address_map *map, uintptr_t address) {
    uint32_t *slot = address_map_find(map, address);
    if (slot != NULL)
        return slot;
    if ((map->heads == NULL || map->count > map->heads[-1]) && grow_heads(map) < 0)
        return NULL;
    uint32_t id = take_entry(map);
    if (id == 0)
        return NULL;
    struct address_map_entry *entry = entry_at(map, id);
    begin_change(map);
    entry->slot = 0;
    __atomic_store_n(&entry->address, address, __ATOMIC_RELAXED);
    link_entry(map, map->heads, id);
    set_bit(map, address);
    end_change(map);
    map->count++;
    return &entry->slot;
}

/* Takes an entry out of its list. Whether another address in it has the same bit. */
static bool unlink_entry(struct address_map *map, uintptr_t address, uint32_t id) {
    uint32_t *at = head_of(map->heads, address);
    bool shared = false;
    while (*at != 0) {
        struct address_map_entry *entry = entry_at(map, *at);
        if (*at == id) {
            __atomic_store_n(at, entry->next, __ATOMIC_RELAXED);
            continue;
        }
        shared |= address_map_bit(entry->address) == address_map_bit(address);
        at = &entry->next;
    }
    return shared;
}

void address_map_remove_empty(struct address_map *map, uintptr_t address) {
    uint32_t id = map->heads != NULL ? walk(map, map->heads, address, UINT32_MAX) : 0;
    if (id == 0 || entry_at(map, id)->slot != 0)
        return;
    struct address_map_entry *entry = entry_at(map, id);
    begin_change(map);
    if (!unlink_entry(map, address, id))
        clear_bit(map, address);
    __atomic_store_n(&entry->address, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&entry->next, map->first_free, __ATOMIC_RELAXED);
    map->first_free = id;
    end_change(map);
    map->count--;
}

void address_map_clear(struct address_map *map) {
    begin_change(map);
    for (size_t word = 0; word < ADDRESS_MAP_WORDS; word++)
        if (map->filter[word] != 0)
            __atomic_store_n(&map->filter[word], 0, __ATOMIC_RELAXED);
    if (map->heads != NULL)
        memset(map->heads, 0, (map->heads[-1] + 1) * sizeof *map->heads);
    for (unsigned part = 0; part < ADDRESS_MAP_PARTS; part++)
        if (map->parts[part] != NULL)
            arena_clear(map->parts[part], part_size(part));
    map->count = map->used = map->first_free = 0;
    end_change(map);
}

bool address_map_visit(const struct address_map *map,
                       bool (*visit)(uintptr_t address, const uint32_t *slots,
                                     unsigned count, void *context),
                       void *context) {
    for (uint32_t id = 1; id <= map->used; id++) {
        const struct address_map_entry *entry = entry_at(map, id);
        if (entry->address != 0 && entry->slot != 0 &&
            !visit(entry->address, &entry->slot, 1, context))
            return false;
    }
    return true;
}
