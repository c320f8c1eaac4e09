/* SPDX-License-Identifier: MIT */
/* An index over entries that live elsewhere: hash to id, open addressing, linear
 * probing.
 *
 * The caller compares entries; id 0 is no entry. Not locked: the caller sees to that.
 * Grows by pages from the arena.
 *
 *   for (id_probe_start(&probe, table, hash); (id = id_probe_next(&probe)) != 0;)
 *       if (entry[id] is the one)
 *           return id;
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

struct id_slot {
    uint32_t tag; /* high half of the hash; its low bits are the place to begin */
    uint32_t id;  /* 0: free */
};

struct id_table {
    struct id_slot *slots;
    uint32_t mask; /* slots - 1; 0: nothing mapped yet */
    uint32_t used;
};

struct id_probe {
    const struct id_table *table;
    uint32_t tag;
    uint32_t at;
};

/* Maps room for `slots` (a power of two). 0, or -ENOMEM. */
must_check int id_table_open(struct id_table *table, uint32_t slots);
void id_table_close(struct id_table *table);
void id_table_clear(struct id_table *table);
/* 0, or -ENOMEM: the table is as it was. */
must_check int id_table_add(struct id_table *table, uint64_t hash, uint32_t id);
/* The id must be there. */
void id_table_remove(struct id_table *table, uint64_t hash, uint32_t id);

static always_inline void id_probe_start(struct id_probe *probe,
                                         const struct id_table *table, uint64_t hash) {
    probe->table = table;
    probe->tag = (uint32_t)(hash >> 32);
    probe->at = probe->tag;
}

static always_inline uint32_t id_probe_next(struct id_probe *probe) {
    for (;;) {
        struct id_slot slot = probe->table->slots[probe->at++ & probe->table->mask];
        if (slot.id == 0 || likely(slot.tag == probe->tag))
            return slot.id;
    }
}
