/* SPDX-License-Identifier: MIT */
/* The program's own frames in the stacks of a dump: what is not the standard library's
 * or an installed package's.
 *
 *   stack   app.py:9   lib.py:70   app.py:4   json.py:33
 *   path    app.py:9   app.py:4                            a node of a tree of paths
 *
 * A stack without a frame of the program's own has its innermost Python frame for a
 * path; one without any Python frame has none, which is path 0.
 *
 * For offline code; allocates; one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "collection/id_map.h"
#include "profile/profile.h"

struct leak_paths {
    const struct profile *profile;
    struct id_map frames; /* (name, line) to its id, from 1 on */
    struct id_map nodes;  /* (caller's path, frame) to a path, from 1 on */
    uint32_t *stacks;     /* by stack: its path */
    uint32_t *functions;  /* by frame: a stack that ends in it */
};

/* Whether a file is a part of the program. */
bool leak_path_is_own(struct dump_text filename);

/* 0 or -ENOMEM. To be closed in both cases. */
must_check int leak_paths_open(struct leak_paths *paths, const struct profile *profile);
void leak_paths_close(struct leak_paths *paths);

static inline uint32_t leak_path_caller(const struct leak_paths *paths, uint32_t path) {
    return (uint32_t)paths->nodes.pairs[path].first;
}

/* The innermost frame of a path that is not 0. */
static inline uint32_t leak_path_frame(const struct leak_paths *paths, uint32_t path) {
    return (uint32_t)paths->nodes.pairs[path].second;
}

static inline struct frame leak_path_name(const struct leak_paths *paths,
                                          uint32_t frame) {
    const struct id_pair *pair = &paths->frames.pairs[frame];
    return (struct frame){(uint32_t)pair->first, (uint32_t)pair->second};
}
