/* SPDX-License-Identifier: MIT */
#include "trace/room.h"

#include "base/epoch.h"

struct room room;

void room_reset(void) {
    room = (struct room){0};
}

static bool is_nearly_full(const struct dump_file *dump, unsigned section,
                           uint64_t count) {
    uint64_t wanted = count * dump->header->sections[section].entry_size;
    return wanted > dump->mapped[section] / 8 * 7;
}

static bool pays(const struct tracemalloc_dump_header *header) {
    uint64_t entries = header->sections[TRACEMALLOC_DUMP_STACKS].count +
                       header->sections[TRACEMALLOC_DUMP_BUCKETS].count;
    return room.made >= entries / 8;
}

int room_reserve(struct dump_file *dump, unsigned section, uint64_t count) {
    if (unlikely(is_nearly_full(dump, section, count)) && !room.wanted &&
        pays(dump->header)) {
        room.wanted = true;
        epoch_raise();
    }
    return dump_file_reserve(dump, section, count);
}
