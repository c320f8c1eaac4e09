/* SPDX-License-Identifier: MIT */
/* A set of ids below a limit: a bit for each id, and a summary bit for each word of 64,
 * so that the next member is found in a few steps.
 *
 *   groups   ...0 1 0 1      bit g: words[g] has a member
 *   words    ...| 0100 |     bit i of word g: 64 g + i is a member
 *
 * Not locked: the caller serialises access. Memory comes from the arena. All zero is
 * the empty set of limit 0, which needs no closing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

/* No id. */
#define ID_SET_END UINT32_MAX

struct id_set {
    uint64_t *words; /* the groups follow in the same mapping */
    uint64_t *groups;
    uint32_t limit; /* members are below it */
};

/* The empty set. 0, or -ENOMEM. */
must_check int id_set_open(struct id_set *set, uint64_t limit);
void id_set_close(struct id_set *set);

/* Adds every id from `first` up to the limit. */
void id_set_fill(struct id_set *set, uint32_t first);
/* The id must be below the limit. */
void id_set_add(struct id_set *set, uint32_t id);
/* The first member that is `from` or more; ID_SET_END if there is none. */
uint32_t id_set_next(const struct id_set *set, uint32_t from);

static inline bool id_set_has(const struct id_set *set, uint32_t id) {
    return id < set->limit && (set->words[id / 64] >> id % 64 & 1) != 0;
}

static inline void id_set_remove(struct id_set *set, uint32_t id) {
    if (id >= set->limit)
        return;
    set->words[id / 64] &= ~((uint64_t)1 << id % 64);
    if (set->words[id / 64] == 0)
        set->groups[id / 64 / 64] &= ~((uint64_t)1 << id / 64 % 64);
}
