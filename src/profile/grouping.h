/* SPDX-License-Identifier: MIT */
/* Groups the blocks of a profile as tracemalloc.Snapshot.statistics does.
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
    GROUPING_FUNCTION,    /* of the most recent frame, in its file or module */
    GROUPING_MODULE,      /* of a native frame; the file of a Python frame */
    GROUPING_TYPE,        /* of the object, in a profile of PROFILE_CENSUS */
    GROUPING_TYPE_LINENO, /* the same with file name and line */
};

struct group {
    struct frame frame; /* see grouping_frame */
    uint32_t stack;     /* of the function that holds most of the group */
    uint32_t type;      /* GROUPING_TYPE, GROUPING_TYPE_LINENO: name id; else 0 */
    bool is_shared;     /* whether its stacks end in several functions */
    struct weight weight;
};

struct grouping {
    const struct profile *profile;
    enum grouping_key key;
    bool cumulative;
    struct stack_index index; /* open if cumulative, or for GROUPING_TRACEBACK */
    struct id_map ids; /* group by key; profiles with one name table have equal keys */
    struct group *groups;
    struct function_shares shares; /* of shared lines, only while groups are summed */
    size_t count;
    size_t capacity;
    uint32_t *of_sites; /* by site: group + 1, or 0 if none; NULL if cumulative, or by
                           type */
};

/* Whether a key has the type of the objects. */
static inline bool grouping_is_by_type(enum grouping_key key) {
    return key == GROUPING_TYPE || key == GROUPING_TYPE_LINENO;
}

/* Groups by a key. If cumulative, a block counts for each frame of its traceback: each
 * time the frame occurs, but only once per function or module. GROUPING_TRACEBACK and
 * types cannot be cumulative. 0, -ENOMEM, or -EFBIG for tracebacks so long that the
 * dump must be damaged. The profile must outlive the grouping. */
must_check int grouping_open(struct grouping *grouping, const struct profile *profile,
                             enum grouping_key key, bool cumulative);

void grouping_close(struct grouping *grouping);

/* The most recent frame of a stack, reduced to the key: its name is the function's for
 * GROUPING_FUNCTION, the module's path for GROUPING_MODULE, else the file's. The line
 * is 0 unless the key has lines. */
struct frame grouping_frame(const struct profile *profile, enum grouping_key key,
                            uint32_t stack);

/* The path of a native frame's module; the file of a Python frame. */
struct dump_text grouping_owner(const struct profile *profile, uint32_t stack);

/* The group of a frame, or NULL. Only for GROUPING_FILENAME and GROUPING_LINENO. */
const struct group *grouping_find_frame(const struct grouping *grouping,
                                        struct frame frame);

/* The group of `grouping` that has the key of a group of `other`, or NULL. */
const struct group *grouping_find(const struct grouping *grouping,
                                  const struct grouping *other, size_t group);
