/* SPDX-License-Identifier: MIT */
/* An index over entries that are stored elsewhere: from a hash to ids, by open
 * addressing with linear probing.
 *
 * The caller compares entries; id 0 is no entry. Not locked: the caller serialises
 * access. Memory comes from the arena.
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
    uint32_t tag; /* high half of the hash; a probe begins at its low bits */
    uint32_t id;  /* 0: free */
};

struct id_table {
    struct id_slot *slots;
    uint32_t mask; /* number of slots - 1; 0: not open */
    uint32_t used;
};

struct id_probe {
    const struct id_table *table;
    uint32_t tag;
    uint32_t next; /* slot, before masking */
};

/* With `slots` slots, a power of two. 0, or -ENOMEM. */
must_check int id_table_open(struct id_table *table, uint32_t slots);
void id_table_close(struct id_table *table);
void id_table_clear(struct id_table *table);
/* 0; or -ENOMEM, and the table is unchanged. */
must_check int id_table_add(struct id_table *table, uint64_t hash, uint32_t id);
/* Does nothing if the id is not in the table. */
void id_table_remove(struct id_table *table, uint64_t hash, uint32_t id);

static always_inline void id_probe_start(struct id_probe *probe,
                                         const struct id_table *table, uint64_t hash) {
    probe->table = table;
    probe->tag = (uint32_t)(hash >> 32);
    probe->next = probe->tag;
}

static always_inline uint32_t id_probe_next(struct id_probe *probe) {
    for (;;) {
        struct id_slot slot = probe->table->slots[probe->next++ & probe->table->mask];
        if (slot.id == 0 || likely(slot.tag == probe->tag))
            return slot.id;
    }
}
