/* SPDX-License-Identifier: MIT */
#include "collection/id_map.h"

#include <errno.h>
#include <stdlib.h>

#include "base/hash.h"
#include "collection/array.h"

enum { FIRST_BITS = 8 };

/* Returns the slot of a pair, or the free slot for it. */
static size_t find_slot(const struct id_map *map, struct id_pair pair) {
    size_t mask = ((size_t)1 << map->bits) - 1;
    size_t i = hash_pair(pair.first, pair.second) >> (64 - map->bits);
    for (; map->slots[i] != 0; i = (i + 1) & mask) {
        const struct id_pair *other = &map->pairs[map->slots[i] - 1];
        if (other->first == pair.first && other->second == pair.second)
            break;
    }
    return i;
}

static int grow_slots(struct id_map *map) {
    unsigned bits = map->bits == 0 ? FIRST_BITS : map->bits + 1;
    uint32_t *slots = calloc((size_t)1 << bits, sizeof *slots);
    if (slots == NULL)
        return -ENOMEM;
    free(map->slots);
    map->slots = slots;
    map->bits = bits;
    for (size_t id = 0; id < map->count; id++)
        slots[find_slot(map, map->pairs[id])] = (uint32_t)id + 1;
    return 0;
}

int64_t id_map_add(struct id_map *map, struct id_pair pair) {
    if (array_reserve(&map->pairs, &map->capacity, map->count + 1, sizeof *map->pairs) <
        0)
        return -ENOMEM;
    bool full = map->bits == 0 || map->count >> (map->bits - 1) != 0;
    if (full && grow_slots(map) < 0)
        return -ENOMEM;
    size_t slot = find_slot(map, pair);
    if (map->slots[slot] != 0)
        return map->slots[slot] - 1;
    map->pairs[map->count] = pair;
    map->slots[slot] = (uint32_t)++map->count;
    return (int64_t)map->count - 1;
}

int64_t id_map_find(const struct id_map *map, struct id_pair pair) {
    if (map->count == 0)
        return -1;
    return (int64_t)map->slots[find_slot(map, pair)] - 1;
}

void id_map_clear(struct id_map *map) {
    free(map->pairs);
    free(map->slots);
    *map = (struct id_map){0};
}
