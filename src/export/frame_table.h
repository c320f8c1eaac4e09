/* SPDX-License-Identifier: MIT */
/* Gives each distinct frame of several dumps an id. Frames with the same file, function
 * and line are equal.
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
    uint32_t filename; /* id in `names` */
    uint32_t function; /* id in `names`, of an empty text if unknown */
    uint32_t line;
    uint32_t first_line; /* of the function; 0 if unknown */
    /* Only for a native frame. */
    uint64_t address; /* ELF virtual address */
    uint32_t module;  /* index in the dump */
    bool has_source;  /* `filename` is a source file */
    bool native;
};

struct frame_table {
    struct frame_names *names;
    bool by_address; /* native frames with different addresses are different */
    struct id_map ids;
    struct named_frame *frames; /* by id; ids.count are used */
    size_t capacity;
};

/* Results of frame_table_at for one dump, so that each node is looked up once. */
struct frame_cache {
    const struct profile *profile;
    uint32_t *frames; /* id + 1, by stack; 0 if not yet looked up */
};

/* 0 or -ENOMEM. The profile must use the same names as the table. */
must_check int frame_cache_open(struct frame_cache *cache,
                                const struct profile *profile);
void frame_cache_close(struct frame_cache *cache);

void frame_table_close(struct frame_table *table);

/* Adds a frame if there is no equal one. Returns its id, or -ENOMEM. */
must_check int64_t frame_table_add(struct frame_table *table, struct named_frame frame);

/* Returns the id of the innermost frame of a stack, or -ENOMEM. */
must_check int64_t frame_table_at(struct frame_table *table, struct frame_cache *cache,
                                  uint32_t stack);

/* The function of a frame, or its file if the function is unknown. */
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

/* False for a native frame of which only the address is known. */
static inline bool frame_table_is_named(const struct frame_table *table,
                                        const struct named_frame *frame) {
    return !frame->native || frame->has_source ||
           frame_table_function(table, frame).length > 0;
}
