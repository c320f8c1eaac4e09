/* SPDX-License-Identifier: MIT */
/* A call tree small enough to read: what each call holds, its callees included; or,
 * inverted, what each line holds, split by its callers.
 *
 * For offline code; allocates; one thread at a time. A node that holds less than the
 * threshold is folded into its parent. The time grows with the number of stacks in the
 * dump; inverted, with the number of frames in the stacks that reach the threshold.
 *
 * The line of a frame outside the dump's frame limit is uncertain (see
 * tracemalloc-dump(5)). Two calls that differ only by line are separate nodes if all
 * blocks allocated inside them are within the limit.
 *
 * folded_tree builds call trees too, and neither can replace the other. This one reads
 * the dump's tree of stacks, so its cost grows with the stacks, however deep they are.
 * folded_tree reads path_table, which holds the whole stack of each site: that is what
 * it takes to add up several dumps, processes, domains and points in time, and it costs
 * sites times depth. For 70,000 sites at depths of 850 to 950, call_tree_open executes
 * 39 million instructions and the whole command needs 35 MB; path_table_add alone
 * executes 605 million, and the command needs 293 MB. For 334,000 sites of at most 60
 * frames, inverted: 75 million against 454 million.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "profile/profile.h"

enum { CALL_TREE_ROOT = 0, CALL_TREE_NONE = 0 }; /* the root has no parent */

struct call_node {
    uint32_t stack;       /* in the dump; the node is its most recent frame */
    bool has_line;        /* whether the frame's line is certain */
    struct weight weight; /* children included */
    struct weight folded; /* sum of the children below the threshold */
    uint64_t folded_count;
    uint32_t parent;
    uint32_t first_child; /* the largest one, or CALL_TREE_NONE */
    uint32_t next;        /* next smaller sibling, or CALL_TREE_NONE */
};

struct call_tree {
    const struct profile *profile;
    uint64_t threshold; /* bytes */
    struct call_node *nodes;
    size_t count;
    size_t capacity;
};

/* The threshold is `share` (0 to 1) of all bytes. 0 or -ENOMEM. The profile must
 * outlive the tree. */
must_check int call_tree_open(struct call_tree *tree, const struct profile *profile,
                              double share);
must_check int call_tree_open_inverted(struct call_tree *tree,
                                       const struct profile *profile, double share);

void call_tree_close(struct call_tree *tree);

/* What the node holds itself: its weight less that of its children. */
struct weight call_tree_own(const struct call_tree *tree, uint32_t node);
