/* SPDX-License-Identifier: MIT */
#include "export/frame_table.h"

#include <errno.h>
#include <stdlib.h>

#include "collection/array.h"

static const uint64_t address_mark = (uint64_t)1 << 63; /* no line is that high */

int frame_cache_open(struct frame_cache *cache, const struct profile *profile) {
    *cache = (struct frame_cache){
        .profile = profile,
        .frames = calloc(profile->reader->stack_count, sizeof *cache->frames),
    };
    return cache->frames == NULL ? -ENOMEM : 0;
}

void frame_cache_close(struct frame_cache *cache) {
    free(cache->frames);
    *cache = (struct frame_cache){0};
}

void frame_table_close(struct frame_table *table) {
    id_map_clear(&table->ids);
    free(table->frames);
    table->frames = NULL;
    table->capacity = 0;
}

int64_t frame_table_add(struct frame_table *table, struct named_frame frame) {
    struct id_pair pair = {(uint64_t)frame.filename << 32 | frame.function, frame.line};
    if (frame.native && table->by_address)
        pair.second = address_mark | frame.address;
    size_t known = table->ids.count;
    if (array_reserve(&table->frames, &table->capacity, known + 1,
                      sizeof *table->frames) < 0)
        return -ENOMEM;
    int64_t id = id_map_add(&table->ids, pair);
    if (id >= 0 && (size_t)id == known)
        table->frames[id] = frame;
    return id;
}

static struct named_frame name_frame(const struct frame_cache *cache, uint32_t stack) {
    const struct profile *profile = cache->profile;
    struct frame shown = profile_frame(profile, stack);
    uint32_t code = profile_code(profile, stack);
    const struct dump_native *native = dump_reader_native(profile->reader, code);
    struct named_frame frame = {
        .filename = shown.name,
        .function = profile->function_names[code],
        .line = shown.line,
        .first_line = profile->reader->code[code].first_line,
        .native = native != NULL,
    };
    if (native != NULL) {
        frame.address = native->address;
        frame.module = native->module;
        frame.has_source = native->has_source;
    }
    return frame;
}

int64_t frame_table_at(struct frame_table *table, struct frame_cache *cache,
                       uint32_t stack) {
    if (cache->frames[stack] != 0)
        return cache->frames[stack] - 1;
    int64_t id = frame_table_add(table, name_frame(cache, stack));
    if (id >= 0)
        cache->frames[stack] = (uint32_t)id + 1;
    return id;
}

struct dump_text frame_table_label(const struct frame_table *table,
                                   const struct named_frame *frame) {
    struct dump_text function = frame_table_function(table, frame);
    return function.length > 0 ? function : frame_table_filename(table, frame);
}
