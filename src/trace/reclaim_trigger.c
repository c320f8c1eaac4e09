/* SPDX-License-Identifier: MIT */
#include "trace/reclaim_trigger.h"

#include "base/epoch.h"

struct reclaim_trigger reclaim_trigger;

void reclaim_trigger_reset(void) {
    reclaim_trigger = (struct reclaim_trigger){0};
}

static bool is_nearly_full(const struct dump_file *dump, unsigned section,
                           uint64_t count) {
    uint64_t wanted = count * dump->header->sections[section].entry_size;
    return wanted > dump->mapped[section] / 8 * 7;
}

static bool pays(const struct tracemalloc_dump_header *header) {
    uint64_t entries = header->sections[TRACEMALLOC_DUMP_STACKS].count +
                       header->sections[TRACEMALLOC_DUMP_BUCKETS].count;
    return reclaim_trigger.new_stacks >= entries / 8;
}

int reclaim_trigger_reserve(struct dump_file *dump, unsigned section, uint64_t count) {
    if (unlikely(is_nearly_full(dump, section, count)) && !reclaim_trigger.requested &&
        pays(dump->header)) {
        reclaim_trigger.requested = true;
        epoch_raise();
    }
    return dump_file_reserve(dump, section, count);
}
