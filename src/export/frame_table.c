/* SPDX-License-Identifier: MIT */
#include "export/frame_table.h"

#include <errno.h>
#include <stdlib.h>

static const uint64_t address_mark = (uint64_t)1 << 63; /* no line is that high */

static int name_functions(struct frame_cache *cache, struct frame_names *names) {
    const struct dump_reader *reader = cache->profile->reader;
    for (size_t i = 0; i < reader->code_count; i++) {
        int64_t name =
            frame_names_add(names, dump_reader_text(reader, reader->code[i].name));
        if (name < 0)
            return (int)name;
        cache->functions[i] = (uint32_t)name;
    }
    return 0;
}

int frame_cache_open(struct frame_cache *cache, const struct profile *profile,
                     struct frame_names *names) {
    const struct dump_reader *reader = profile->reader;
    *cache = (struct frame_cache){
        .profile = profile,
        .functions = calloc(reader->code_count, sizeof *cache->functions),
        .frames = calloc(reader->stack_count, sizeof *cache->frames),
    };
    int error = -ENOMEM;
    if (cache->functions != NULL && cache->frames != NULL)
        error = name_functions(cache, names);
    if (error < 0)
        frame_cache_close(cache);
    return error;
}

void frame_cache_close(struct frame_cache *cache) {
    free(cache->functions);
    free(cache->frames);
    *cache = (struct frame_cache){0};
}

void frame_table_close(struct frame_table *table) {
    id_map_clear(&table->ids);
    free(table->frames);
    table->frames = NULL;
    table->room = 0;
}

static int grow(struct frame_table *table) {
    size_t room = table->room == 0 ? 256 : table->room * 2;
    struct named_frame *frames = realloc(table->frames, room * sizeof *frames);
    if (frames == NULL)
        return -ENOMEM;
    table->frames = frames;
    table->room = room;
    return 0;
}

int64_t frame_table_add(struct frame_table *table, struct named_frame frame) {
    struct id_pair pair = {(uint64_t)frame.filename << 32 | frame.function, frame.line};
    if (frame.native && table->by_address)
        pair.second = address_mark | frame.address;
    if (table->ids.count == table->room && grow(table) < 0)
        return -ENOMEM;
    size_t known = table->ids.count;
    int64_t id = id_map_add(&table->ids, pair);
    if (id >= 0 && (size_t)id == known)
        table->frames[id] = frame;
    return id;
}

static struct named_frame name_frame(const struct frame_cache *cache, uint32_t stack) {
    const struct dump_reader *reader = cache->profile->reader;
    const struct tracemalloc_dump_stack *node = &reader->stacks[stack];
    struct frame shown = profile_frame(cache->profile, stack);
    bool native = (node->code & TRACEMALLOC_DUMP_NATIVE) != 0;
    uint32_t code = native ? 0 : node->code;
    return (struct named_frame){
        .filename = shown.name,
        .function = cache->functions[code],
        .line = shown.line,
        .first_line = reader->code[code].first_line,
        .address = native ? (uint64_t)node->high << 32 | node->line : 0,
        .native = native,
    };
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
