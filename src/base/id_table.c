/* SPDX-License-Identifier: MIT */
#include "base/id_table.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"

static size_t bytes(const struct id_table *table) {
    return ((size_t)table->mask + 1) * sizeof *table->slots;
}

int id_table_open(struct id_table *table, uint32_t slots) {
    table->slots = arena_map(slots * sizeof *table->slots);
    if (table->slots == NULL)
        return -ENOMEM;
    table->mask = slots - 1;
    table->used = 0;
    return 0;
}

void id_table_close(struct id_table *table) {
    if (table->slots != NULL)
        arena_unmap(table->slots, bytes(table));
    *table = (struct id_table){0};
}

void id_table_clear(struct id_table *table) {
    memset(table->slots, 0, bytes(table));
    table->used = 0;
}

static void put(struct id_table *table, struct id_slot slot) {
    uint32_t i = slot.tag & table->mask;
    while (table->slots[i].id != 0)
        i = (i + 1) & table->mask;
    table->slots[i] = slot;
}

static int grow(struct id_table *table) {
    struct id_table larger;
    int error = id_table_open(&larger, (table->mask + 1) * 2);
    if (error < 0)
        return error;
    for (size_t i = 0; i <= table->mask; i++)
        if (table->slots[i].id != 0)
            put(&larger, table->slots[i]);
    larger.used = table->used;
    id_table_close(table);
    *table = larger;
    return 0;
}

/* The table is at most two thirds full, or, without memory to grow, has one free slot:
 * each probe ends. */
int id_table_add(struct id_table *table, uint64_t hash, uint32_t id) {
    if (unlikely((uint64_t)table->used * 3 >= (uint64_t)table->mask * 2)) {
        int error = grow(table);
        if (error < 0 && table->used + 1 >= table->mask)
            return error;
    }
    put(table, (struct id_slot){(uint32_t)(hash >> 32), id});
    table->used++;
    return 0;
}

/* Backward shift: each entry of the run after the gap moves into it, unless its probe
 * begins after the gap. */
void id_table_remove(struct id_table *table, uint64_t hash, uint32_t id) {
    uint32_t mask = table->mask, gap = (uint32_t)(hash >> 32) & mask;
    while (table->slots[gap].id != id) {
        if (table->slots[gap].id == 0)
            return;
        gap = (gap + 1) & mask;
    }
    for (uint32_t i = (gap + 1) & mask; table->slots[i].id != 0; i = (i + 1) & mask) {
        uint32_t home = table->slots[i].tag & mask;
        if (((i - home) & mask) >= ((i - gap) & mask)) {
            table->slots[gap] = table->slots[i];
            gap = i;
        }
    }
    table->slots[gap] = (struct id_slot){0};
    table->used--;
}
