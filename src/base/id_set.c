/* SPDX-License-Identifier: MIT */
#include "base/id_set.h"

#include <assert.h>
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
    assert(id < set->limit);
    set->words[id / 64] |= (uint64_t)1 << id % 64;
    set->groups[id / 64 / 64] |= (uint64_t)1 << id / 64 % 64;
}

void id_set_fill(struct id_set *set, uint32_t first) {
    for (uint32_t id = first; id < set->limit; id++)
        id_set_add(set, id);
}

/* The first bit set at or after `from`; `count` * 64 or more if there is none. */
static uint64_t next_bit(const uint64_t *words, uint64_t count, uint64_t from) {
    uint64_t i = from / 64;
    if (i >= count)
        return from;
    uint64_t word = words[i] >> from % 64 << from % 64;
    while (word == 0 && ++i < count)
        word = words[i];
    return i < count ? i * 64 + (uint64_t)__builtin_ctzll(word) : i * 64;
}

uint32_t id_set_next(const struct id_set *set, uint32_t from) {
    if (from >= set->limit)
        return ID_SET_END;
    uint64_t words = word_count(set->limit), i = from / 64;
    uint64_t id = next_bit(set->words, i + 1, from);
    if (id < (i + 1) * 64)
        return (uint32_t)id;
    i = next_bit(set->groups, group_count(set->limit), i + 1);
    return i < words ? (uint32_t)next_bit(set->words, words, i * 64) : ID_SET_END;
}
