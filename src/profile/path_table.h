/* SPDX-License-Identifier: MIT */
/* The tracebacks of one or more dumps and what they hold, as arrays of numbers from
 * which folded_tree builds a call tree.
 *
 * For offline code; allocates; one thread at a time. A path is the stack of one site:
 * the numbers of its frames, outermost first:
 *
 *   [process] [older frames] frame frame ... most recent frame
 *
 * It is the window of the stack (see profile/stack_index.h) or, if asked for, the whole
 * stack. Outside the window the line of a frame is uncertain, so that the line is part
 * of a frame only if all blocks allocated inside it have it in their windows. The
 * process comes first if asked for; `older frames` stands for the frames that are cut.
 * A frame has the same number in all dumps.
 */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "collection/id_map.h"
#include "dump/frame_names.h"
#include "profile/profile.h"

/* The table's own frames, which are in no dump. */
enum {
    PATH_TABLE_ALL,   /* the root of a tree */
    PATH_TABLE_OTHER, /* folded nodes */
    PATH_TABLE_CUT,   /* the frames outside a window */
    PATH_TABLE_OWN_FRAMES,
};

/* Marks frames of native code. */
#define PATH_TABLE_NATIVE ((uint64_t)1 << 32)

enum {
    PATH_TABLE_MAX_COLUMNS = 22,
    PATH_TABLE_MAX_DOMAINS = 32, /* any further domain counts as the last */
    PATH_TABLE_MAX_STEPS = 1 << 26,
};

struct path {
    uint32_t first;  /* index of its first step */
    uint32_t length; /* steps */
    uint32_t domain; /* index in `domains` */
    uint32_t site;   /* of its dump */
    float share;     /* of the total, 0 to 1, in the column where it is largest */
};

struct path_domain {
    uint32_t number;
    struct dump_text name;
};

struct path_table {
    struct frame_names *names;    /* of files; shared with the profiles */
    struct frame_names functions; /* by function number */
    char *process_names;          /* texts that `functions` refers to */
    /* By frame number: file << 32 | line, and function | PATH_TABLE_NATIVE. */
    struct id_map frames;
    uint32_t *steps; /* frame numbers of all paths, one path after the other */
    size_t step_count;
    struct path *paths;
    size_t count;
    size_t capacity;
    uint64_t *values; /* by path, `columns` each */
    unsigned columns;
    uint64_t totals[PATH_TABLE_MAX_COLUMNS];
    struct path_domain domains[PATH_TABLE_MAX_DOMAINS];
    uint32_t domain_count;
    uint32_t nframe; /* the most frames that a path may have */
    /* Joined dumps only, see path_table_join: the calls, distinguished by function
     * whatever their lines, and by call the most Python frames inside it in any
     * dump. */
    struct id_map calls;
    uint32_t *deepest;
    size_t deepest_capacity;
    uint32_t limit; /* the smallest frame limit of the dumps */
};

/* One dump: what its sites hold at several points in time. */
struct path_source {
    const struct profile *profiles; /* one for each point, of one reader */
    size_t profile_count;
    const struct profile *ever; /* taken at PROFILE_ALLOCATED */
    unsigned column;            /* the first profile's bytes, see path_table_add */
    bool by_process; /* the process is the first frame of each path; one dump only */
    bool whole;      /* whole stacks instead of windows */
};

/* 0 or -ENOMEM. The names and the readers, whose texts are used, must outlive the
 * table. */
must_check int path_table_open(struct path_table *table, struct frame_names *names,
                               unsigned columns);

/* Before several dumps with whole stacks are added, each must be joined: then the line
 * of a frame counts only if it is certain in all of them. A line that is certain in one
 * dump and not in another would otherwise look like a difference. 0 or -ENOMEM. */
must_check int path_table_join(struct path_table *table,
                               const struct path_source *source);

/* Adds the paths of a dump. Beginning at the source's column, the values of a path are
 * the bytes and the blocks of each profile, then the number of allocations. 0, -ENOMEM,
 * or -EFBIG for more than PATH_TABLE_MAX_STEPS. */
must_check int path_table_add(struct path_table *table,
                              const struct path_source *source);

/* Sums the columns and computes the share of each path, after all were added. */
void path_table_aggregate(struct path_table *table);

void path_table_close(struct path_table *table);

static inline uint32_t path_table_file(const struct path_table *table, uint32_t frame) {
    assert(frame < table->frames.count);
    return (uint32_t)(table->frames.pairs[frame].first >> 32);
}

static inline uint32_t path_table_line(const struct path_table *table, uint32_t frame) {
    assert(frame < table->frames.count);
    return (uint32_t)table->frames.pairs[frame].first;
}

static inline bool path_table_is_native(const struct path_table *table,
                                        uint32_t frame) {
    assert(frame < table->frames.count);
    return (table->frames.pairs[frame].second & PATH_TABLE_NATIVE) != 0;
}

static inline uint32_t path_table_function(const struct path_table *table,
                                           uint32_t frame) {
    assert(frame < table->frames.count);
    return (uint32_t)table->frames.pairs[frame].second;
}
