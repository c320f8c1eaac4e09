/* SPDX-License-Identifier: MIT */
/* A tree of calls that is small enough to be shown: what is below a share of the total
 * is folded into one node `other` of its parent.
 *
 * For offline code; allocates; one thread at a time. A path counts with its largest
 * share of any column, so that nothing is folded that matters in one of them. Sums of
 * the columns over all entries are those of the path table, exactly.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "profile/path_table.h"

enum folded_tree_direction {
    FOLDED_TREE_CALLS,   /* from the oldest frame to the most recent one */
    FOLDED_TREE_CALLERS, /* from the most recent frame to the oldest one */
};

struct folded_node {
    uint32_t parent; /* less than its own number; 0 of the root, node 0 */
    uint32_t frame;  /* number in the path table */
};

/* What ends at a node, in one domain; its values are in `values`. */
struct folded_entry {
    uint32_t node;
    uint32_t domain;
};

struct folded_tree {
    const struct path_table *table;
    enum folded_tree_direction direction;
    double share;                            /* what is below is folded */
    uint64_t folded[PATH_TABLE_MAX_COLUMNS]; /* what that is, by column */
    struct folded_node *nodes;
    size_t count;
    size_t room;
    struct folded_entry *entries;
    uint64_t *values; /* by entry, as many as the table has columns */
    size_t entry_count;
    size_t entry_room;
};

/* Folds what is below `share`; below 0: a share so small that at most a twentieth of
 * any column is folded. There are at most `max` nodes, those that hold most: what
 * finds no room counts for the node that it would hang on. 0 or -ENOMEM. The table,
 * weighed, outlives the tree. */
must_check int folded_tree_open(struct folded_tree *tree,
                                const struct path_table *table,
                                enum folded_tree_direction direction, double share,
                                size_t max);

void folded_tree_close(struct folded_tree *tree);
