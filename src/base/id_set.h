/* SPDX-License-Identifier: MIT */
/* A set of ids below a limit: one bit each, and one for each 64 of those, so that the
 * next member is found in few steps.
 *
 *   groups   ...0 1 0 1      bit g: words[g] has a member
 *   words    ...| 0100 |     bit i of word g: 64 g + i is a member
 *
 * Not locked: the caller sees to that. Memory comes from the arena. All zero is the
 * empty set of limit 0, which needs no closing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

/* No id. */
#define ID_SET_END UINT32_MAX

struct id_set {
    uint64_t *words; /* the groups are behind them */
    uint64_t *groups;
    uint32_t limit; /* ids from here on are never members */
};

/* The empty set. 0, or -ENOMEM. */
must_check int id_set_open(struct id_set *set, uint64_t limit);
void id_set_close(struct id_set *set);

/* Every id from `first` up to the limit becomes a member. */
void id_set_fill(struct id_set *set, uint32_t first);
/* The id is below the limit. */
void id_set_add(struct id_set *set, uint32_t id);
/* The lowest member that is not below `from`; ID_SET_END: there is none. */
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
