/* SPDX-License-Identifier: MIT */
/* The frames of several dumps, each with one number: equal are those with the same
 * file, function and line.
 *
 * For offline code; allocates; one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "collection/id_map.h"
#include "dump/frame_names.h"
#include "profile/profile.h"

struct named_frame {
    uint32_t filename; /* of the names */
    uint32_t function; /* of the names; an empty text where there is none */
    uint32_t line;
    uint32_t first_line; /* of the function, 0 where unknown */
    /* Of a native frame. */
    uint64_t address; /* as in its ELF file */
    uint32_t module;  /* index in the dump */
    bool has_source;  /* the file name is one of a source file */
    bool native;
};

struct frame_table {
    struct frame_names *names;
    bool by_address; /* native frames by their address, not only by their file */
    struct id_map ids;
    struct named_frame *frames; /* by id, `ids.count` of them */
    size_t capacity;
};

/* What frame_table_at keeps of one dump, so that each node is named once. */
struct frame_cache {
    const struct profile *profile;
    uint32_t *frames; /* id + 1, by stack; 0 where not yet asked for */
};

/* 0 or -ENOMEM. The profile's names are the table's. */
must_check int frame_cache_open(struct frame_cache *cache,
                                const struct profile *profile);
void frame_cache_close(struct frame_cache *cache);

void frame_table_close(struct frame_table *table);

/* The id of a frame, or -ENOMEM. */
must_check int64_t frame_table_add(struct frame_table *table, struct named_frame frame);

/* The id of the frame at a node, or -ENOMEM. */
must_check int64_t frame_table_at(struct frame_table *table, struct frame_cache *cache,
                                  uint32_t stack);

/* The text of a frame's function, or of its file where it has none. */
struct dump_text frame_table_label(const struct frame_table *table,
                                   const struct named_frame *frame);

static inline struct dump_text frame_table_filename(const struct frame_table *table,
                                                    const struct named_frame *frame) {
    return table->names->texts[frame->filename];
}

static inline struct dump_text frame_table_function(const struct frame_table *table,
                                                    const struct named_frame *frame) {
    return table->names->texts[frame->function];
}
