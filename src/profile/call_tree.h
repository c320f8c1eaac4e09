/* SPDX-License-Identifier: MIT */
/* What each call holds together with all that it calls, or, inverted, what each line
 * holds by its callers: as a tree that is small enough to be read.
 *
 * For offline code; allocates; one thread at a time. A node is kept when it holds at
 * least a threshold; what is below is folded into its parent. The time grows with the
 * stacks of the dump; inverted, with the frames of the stacks that are kept.
 *
 * Frames further up than the dump's limit have no certain line (see
 * tracemalloc-dump(5)): calls are told apart by line only where all their blocks are
 * within the limit.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "profile/profile.h"

enum { CALL_TREE_ROOT = 0, CALL_TREE_NONE = 0 }; /* the root has no parent */

struct call_node {
    uint32_t stack;       /* of the dump: whose most recent frame is meant */
    bool has_line;        /* the frame's line is certain */
    struct weight weight; /* with its children */
    struct weight folded; /* of the children that are not kept */
    uint64_t folded_count;
    uint32_t parent;
    uint32_t first_child; /* the one that holds most; CALL_TREE_NONE */
    uint32_t next;        /* sibling */
};

struct call_tree {
    const struct profile *profile;
    uint64_t threshold; /* bytes */
    struct call_node *nodes;
    size_t count;
    size_t room;
};

/* `share` of all bytes is the threshold, from 0 to 1. 0 or -ENOMEM. The profile
 * outlives the tree. */
must_check int call_tree_open(struct call_tree *tree, const struct profile *profile,
                              double share);
must_check int call_tree_open_inverted(struct call_tree *tree,
                                       const struct profile *profile, double share);

void call_tree_close(struct call_tree *tree);

/* What ends at a node itself: its weight less its children. */
struct weight call_tree_own(const struct call_tree *tree, uint32_t node);
