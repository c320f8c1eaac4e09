/* SPDX-License-Identifier: MIT */
#include "trace/reclaim.h"

#include "trace/name_table.h"
#include "trace/reclaim_trigger.h"
#include "trace/bucket_table.h"
#include "trace/stack_table.h"
#include "trace/site_table.h"

enum { FIRST_STACK = 2, FIRST_CODE = 2 };

/* The ids that are not marked live. */
struct unused {
    struct id_set stacks;
    struct id_set sites;
    struct id_set codes;
};

static uint64_t count_of(const struct dump_file *dump, unsigned section) {
    return dump->header->sections[section].count;
}

static struct tracemalloc_dump_stack *stacks_of(const struct dump_file *dump) {
    return (void *)dump->base[TRACEMALLOC_DUMP_STACKS];
}

static bool open_sets(struct unused *unused, const struct dump_file *dump) {
    *unused = (struct unused){0};
    if (id_set_open(&unused->stacks, count_of(dump, TRACEMALLOC_DUMP_STACKS)) == 0 &&
        id_set_open(&unused->sites, count_of(dump, TRACEMALLOC_DUMP_SITES)) == 0 &&
        id_set_open(&unused->codes, count_of(dump, TRACEMALLOC_DUMP_CODE)) == 0)
        return true;
    id_set_close(&unused->stacks);
    id_set_close(&unused->sites);
    return false;
}

/* Whether the code object of a stack's top frame is alive. A free stack has code 0,
 * which is not in the set. */
static bool lives(const struct unused *unused, uint32_t code) {
    return (code & TRACEMALLOC_DUMP_NATIVE) != 0 || !id_set_has(&unused->codes, code);
}

/* A caller's id is less than its callees', so one pass is enough. */
static void mark_reachable(struct unused *unused, const struct dump_file *dump) {
    const struct tracemalloc_dump_stack *stacks = stacks_of(dump);
    for (uint32_t id = FIRST_STACK; id < unused->stacks.limit; id++)
        if (!id_set_has(&unused->stacks, stacks[id].parent) &&
            lives(unused, stacks[id].code))
            id_set_remove(&unused->stacks, id);
}

/* Marks the stacks with blocks, and their callers. */
static void mark_needed(struct unused *unused, const struct dump_file *dump) {
    const struct tracemalloc_dump_stack *stacks = stacks_of(dump);
    uint64_t count = count_of(dump, TRACEMALLOC_DUMP_BUCKETS);
    for (uint64_t id = 1; id < count; id++) {
        const struct tracemalloc_dump_bucket *bucket = bucket_table.buckets + id;
        uint32_t stack = bucket_site(bucket)->stack;
        if (bucket_table_is_dead(bucket))
            continue;
        for (; id_set_has(&unused->stacks, stack); stack = stacks[stack].parent)
            id_set_remove(&unused->stacks, stack);
    }
}

static void mark_live_codes(struct unused *unused, const struct dump_file *dump) {
    const struct tracemalloc_dump_stack *stacks = stacks_of(dump);
    for (uint32_t id = 0; id < FIRST_CODE; id++)
        id_set_remove(&unused->codes, id);
    for (uint32_t id = FIRST_STACK; id < unused->stacks.limit; id++)
        if (!id_set_has(&unused->stacks, id))
            id_set_remove(&unused->codes, stacks[id].code);
}

/* Makes the nearest live caller the parent of each stack that is freed. */
static void reparent(const struct id_set *going, struct dump_file *dump) {
    struct tracemalloc_dump_stack *stacks = stacks_of(dump);
    for (uint32_t id = id_set_next(going, 0); id != ID_SET_END;
         id = id_set_next(going, id + 1))
        if (id_set_has(going, stacks[id].parent))
            stacks[id].parent = stacks[stacks[id].parent].parent;
}

void reclaim(struct dump_file *dump, const struct reclaim_callbacks *callbacks) {
    struct unused unused;
    reclaim_trigger_reset();
    /* Most code objects die while the runtime finalizes; their stacks are still
     * wanted. */
    if (dump->header->finalized != 0 || !open_sets(&unused, dump))
        return;
    id_set_fill(&unused.stacks, FIRST_STACK);
    id_set_fill(&unused.codes, 0);
    callbacks->mark_live_codes(&unused.codes);
    mark_reachable(&unused, dump);
    bucket_table_reclaim();
    mark_needed(&unused, dump);
    mark_live_codes(&unused, dump);
    reparent(&unused.stacks, dump);
    site_table_reclaim(&unused.stacks, &unused.sites);
    callbacks->forget_stacks(&unused.stacks);
    stack_table_reclaim(&unused.stacks);
    name_table_reclaim(&unused.codes);
}
