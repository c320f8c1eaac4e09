/* SPDX-License-Identifier: MIT */
/* A set of pairs of numbers that gives each a dense id, in the order in which they
 * came.
 *
 * For offline code; allocates; one thread at a time. 16 bytes for a pair, and 8 for its
 * place in the table.
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

/* All zeros is an empty map. */
struct id_map {
    struct id_pair *pairs; /* by id */
    size_t count;
    size_t capacity; /* of `pairs` */
    uint32_t
        *slots;    /* id + 1, 0 where free; a power of two of them, at most half full */
    unsigned bits; /* log2 of their number */
};

/* The id of a pair, new or known: a new one's is the count before. -ENOMEM. */
must_check int64_t id_map_add(struct id_map *map, struct id_pair pair);

/* The id of a pair, or -1 where it was not added. */
int64_t id_map_find(const struct id_map *map, struct id_pair pair);

void id_map_clear(struct id_map *map);
