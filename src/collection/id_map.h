/* SPDX-License-Identifier: MIT */
/* A set of pairs of numbers that numbers them in the order in which they were added.
 *
 * For offline code; allocates; one thread at a time. A pair takes 16 bytes, and 8 or
 * more for its slot.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct id_pair {
    uint64_t first;
    uint64_t second;
};

/* Empty when all zeros. */
struct id_map {
    struct id_pair *pairs; /* by id */
    size_t count;
    size_t capacity; /* of `pairs` */
    uint32_t *slots; /* id + 1, or 0 if free; 2^bits of them, at most half full */
    unsigned bits;
};

/* Returns the id of a pair, which is added if it is new: then the id is the previous
 * count. -ENOMEM. */
must_check int64_t id_map_add(struct id_map *map, struct id_pair pair);

/* Returns the id of a pair, or -1 if it is not in the set. */
int64_t id_map_find(const struct id_map *map, struct id_pair pair);

void id_map_clear(struct id_map *map);
