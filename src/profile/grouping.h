/* SPDX-License-Identifier: MIT */
/* The blocks of a profile, grouped as tracemalloc.Snapshot.statistics groups them.
 *
 * For offline code; allocates; one thread at a time. The time grows with the buckets
 * and stacks of the dump, not with the length of the stacks.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "collection/id_map.h"
#include "profile/function_shares.h"
#include "profile/profile.h"
#include "profile/stack_index.h"

enum grouping_key {
    GROUPING_FILENAME, /* of the most recent frame */
    GROUPING_LINENO,   /* file name and line of the most recent frame */
    GROUPING_TRACEBACK,
    GROUPING_FUNCTION, /* of the most recent frame, in its file or module */
    GROUPING_MODULE,   /* of a native frame; of one of Python, its file */
};

struct group {
    struct frame frame; /* see grouping_frame */
    uint32_t stack;     /* one of the function that holds most of the group */
    bool is_shared;     /* its stacks end in several functions */
    struct weight weight;
};

struct grouping {
    const struct profile *profile;
    enum grouping_key key;
    bool cumulative;
    struct stack_index index; /* of tracebacks, and cumulative by file or line */
    struct id_map ids; /* group by key: equal keys in all profiles of one name table */
    struct group *groups;
    struct function_shares shares; /* of the groups by line, while they are summed */
    size_t count;
    size_t room;
    uint32_t *of_sites; /* group + 1, by site; 0: none, NULL: cumulative */
};

/* Groups by a key. Cumulative: by each frame of a traceback, as often as it stands
 * there, but only once by function and module; not for tracebacks. 0, -ENOMEM, or
 * -EFBIG for tracebacks that only a damaged dump has. The profile outlives the
 * grouping. */
must_check int grouping_open(struct grouping *grouping, const struct profile *profile,
                             enum grouping_key key, bool cumulative);

void grouping_close(struct grouping *grouping);

/* What a key shows of the most recent frame of a stack: its name is that of a function
 * by function, of a module's path by module, else of a file; the line is 0 unless
 * lines are told apart. */
struct frame grouping_frame(const struct profile *profile, enum grouping_key key,
                            uint32_t stack);

/* The path of a native frame's module, or of the file of any other. */
struct dump_text grouping_owner(const struct profile *profile, uint32_t stack);

/* The group of a frame, or NULL; by file name and line only. */
const struct group *grouping_find_frame(const struct grouping *grouping,
                                        struct frame frame);

/* The group of another grouping with the same key as a group of this one, or NULL. */
const struct group *grouping_find(const struct grouping *grouping,
                                  const struct grouping *other, size_t group);
