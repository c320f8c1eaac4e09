/* SPDX-License-Identifier: MIT */
#include "base/id_set.h"

#include <errno.h>

#include "base/arena.h"

static uint64_t word_count(uint64_t limit) {
    return limit / 64 + 1;
}

static uint64_t group_count(uint64_t limit) {
    return limit / 64 / 64 + 1;
}

static uint64_t bytes(uint64_t limit) {
    return (word_count(limit) + group_count(limit)) * sizeof(uint64_t);
}

int id_set_open(struct id_set *set, uint64_t limit) {
    *set = (struct id_set){0};
    if (limit >= ID_SET_END)
        return -ENOMEM;
    set->words = arena_map(bytes(limit));
    if (set->words == NULL)
        return -ENOMEM;
    set->groups = set->words + word_count(limit);
    set->limit = (uint32_t)limit;
    return 0;
}

void id_set_close(struct id_set *set) {
    if (set->words != NULL)
        arena_unmap(set->words, bytes(set->limit));
    *set = (struct id_set){0};
}

void id_set_add(struct id_set *set, uint32_t id) {
    set->words[id / 64] |= (uint64_t)1 << id % 64;
    set->groups[id / 64 / 64] |= (uint64_t)1 << id / 64 % 64;
}

void id_set_fill(struct id_set *set, uint32_t first) {
    for (uint32_t id = first; id < set->limit; id++)
        id_set_add(set, id);
}

/* The lowest bit that is not below `from`; `count` * 64 or more: there is none. */
static uint64_t next_bit(const uint64_t *words, uint64_t count, uint64_t from) {
    uint64_t at = from / 64;
    if (at >= count)
        return from;
    uint64_t word = words[at] >> from % 64 << from % 64;
    while (word == 0 && ++at < count)
        word = words[at];
    return at < count ? at * 64 + (uint64_t)__builtin_ctzll(word) : at * 64;
}

uint32_t id_set_next(const struct id_set *set, uint32_t from) {
    if (from >= set->limit)
        return ID_SET_END;
    uint64_t words = word_count(set->limit), at = from / 64;
    uint64_t id = next_bit(set->words, at + 1, from);
    if (id < (at + 1) * 64)
        return (uint32_t)id;
    at = next_bit(set->groups, group_count(set->limit), at + 1);
    return at < words ? (uint32_t)next_bit(set->words, words, at * 64) : ID_SET_END;
}
