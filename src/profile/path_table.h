/* SPDX-License-Identifier: MIT */
/* The tracebacks of one or more dumps, each with what it holds, as arrays of numbers
 * that a call tree is folded from.
 *
 * For offline code; allocates; one thread at a time. A path is the stack of one
 * site, as frames by number, the oldest first:
 *
 *   [process] [older frames] frame frame ... most recent frame
 *
 * It is the window of the stack (see report/stack_index.h), or all of it: beyond the
 * window no line is certain, and a frame is told apart by line only where all blocks
 * below it have it in their windows. The process is there where it is asked for, `older
 * frames` where there are more. Equal frames of all dumps are equal numbers.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "collection/id_map.h"
#include "dump/frame_names.h"
#include "profile/profile.h"

/* Frames that no dump has. */
enum {
    PATH_TABLE_ALL,   /* the root of a tree */
    PATH_TABLE_OTHER, /* what was folded */
    PATH_TABLE_CUT,   /* stands for the frames above a window */
    PATH_TABLE_OWN_FRAMES,
};

/* Marks frames of native code. */
#define PATH_TABLE_NATIVE ((uint64_t)1 << 32)

enum {
    PATH_TABLE_MAX_COLUMNS = 18,
    PATH_TABLE_MAX_DOMAINS = 32, /* what is more counts as the last */
    PATH_TABLE_MAX_STEPS = 1 << 26,
};

struct path {
    uint32_t first; /* of its steps */
    uint32_t length;
    uint32_t domain; /* in `domains` */
    float share;     /* of the total, in the column where it is largest */
};

struct path_domain {
    uint32_t number;
    struct dump_text name;
};

struct path_table {
    struct frame_names *names;    /* of files; the profiles' */
    struct frame_names functions; /* by number */
    char *process_names;          /* that `functions` refers to */
    /* By number of frame: file << 32 | line, and function | PATH_TABLE_NATIVE. */
    struct id_map frames;
    uint32_t *steps; /* frames of all paths, one path after the other */
    size_t step_count;
    size_t step_room;
    struct path *paths;
    size_t count;
    size_t room;
    uint64_t *values; /* by path, `columns` each */
    unsigned columns;
    uint64_t totals[PATH_TABLE_MAX_COLUMNS];
    struct path_domain domains[PATH_TABLE_MAX_DOMAINS];
    uint32_t domain_count;
    uint32_t nframe; /* frames that each path may have */
    /* Of several dumps: calls by function from the root on, whatever their lines, and
     * by call the frames down to the furthest block in any dump; see
     * path_table_join. */
    struct id_map calls;
    uint32_t *deepest;
    size_t deepest_room;
    uint32_t limit; /* the smallest frame limit of the dumps */
};

/* One dump: the weights of its sites, at several moments. */
struct path_source {
    const struct profile *profiles; /* of one reader */
    size_t profile_count;
    const struct profile *ever; /* weighed by all that was ever allocated */
    unsigned column;            /* of the first profile's bytes, see below */
    bool by_process; /* the process is the first frame of each path; one dump only */
    bool whole;      /* whole stacks, not windows */
};

/* 0 or -ENOMEM. The names outlive the table; so do the readers, for their texts. */
must_check int path_table_open(struct path_table *table, struct frame_names *names,
                               unsigned columns);

/* Where several dumps with whole stacks are to be added, each is joined first: a line
 * is then told apart where it is certain in all of them, for else one that is certain
 * in one dump only would look like a difference. 0 or -ENOMEM. */
must_check int path_table_join(struct path_table *table,
                               const struct path_source *source);

/* Adds the paths of a dump. From the source's column on, a path has the bytes and the
 * blocks of each profile, then the number of allocations. 0, -ENOMEM, or -EFBIG for
 * more than the table can hold. */
must_check int path_table_add(struct path_table *table,
                              const struct path_source *source);

/* Sums the columns and finds each path's share, once all are added. */
void path_table_aggregate(struct path_table *table);

void path_table_close(struct path_table *table);

static inline uint32_t path_table_file(const struct path_table *table, uint32_t frame) {
    return (uint32_t)(table->frames.pairs[frame].first >> 32);
}

static inline uint32_t path_table_line(const struct path_table *table, uint32_t frame) {
    return (uint32_t)table->frames.pairs[frame].first;
}

static inline bool path_table_is_native(const struct path_table *table,
                                        uint32_t frame) {
    return (table->frames.pairs[frame].second & PATH_TABLE_NATIVE) != 0;
}

static inline uint32_t path_table_function(const struct path_table *table,
                                           uint32_t frame) {
    return (uint32_t)table->frames.pairs[frame].second;
}
