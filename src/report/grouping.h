/* SPDX-License-Identifier: MIT */
/* The blocks of a profile, grouped as tracemalloc.Snapshot.statistics groups them.
 *
 * For offline code; allocates; one thread at a time. The time grows with the sites and
 * stacks of the dump, not with the length of the stacks.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "report/id_map.h"
#include "report/profile.h"
#include "report/stack_index.h"

enum grouping_key {
    GROUPING_FILENAME, /* of the most recent frame */
    GROUPING_LINENO,   /* file name and line of the most recent frame */
    GROUPING_TRACEBACK,
};

struct group {
    struct frame frame; /* the most recent one; line 0 by file name */
    uint32_t stack;     /* a stack of the group, for what else is told of it */
    struct weight weight;
};

struct grouping {
    const struct profile *profile;
    enum grouping_key key;
    bool cumulative;
    struct stack_index index; /* of tracebacks and cumulative groups only */
    struct id_map ids; /* group by key: equal keys in all profiles of one name table */
    struct group *groups;
    size_t count;
    size_t room;
};

/* Groups by a key. Cumulative: by each frame of a traceback, as often as it stands
 * there; not for tracebacks. 0 or -ENOMEM. The profile outlives the grouping. */
must_check int grouping_open(struct grouping *grouping, const struct profile *profile,
                             enum grouping_key key, bool cumulative);

void grouping_close(struct grouping *grouping);

/* The group of a frame, or NULL; not for tracebacks. */
const struct group *grouping_find_frame(const struct grouping *grouping,
                                        struct frame frame);

/* The group of another grouping with the same key as a group of this one, or NULL. */
const struct group *grouping_find(const struct grouping *grouping,
                                  const struct grouping *other, size_t group);
