/* SPDX-License-Identifier: MIT */
/* A call tree small enough to draw: nodes below a share of the total are folded into
 * one node `other` of their parent.
 *
 * For offline code; allocates; one thread at a time. The share of a path is its largest
 * in any column, so that nothing is folded that matters in one of them. The sum of each
 * column over all entries equals that of the path table, exactly.
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
    uint32_t parent; /* less than the node's own index; 0 for the root, node 0 */
    uint32_t frame;  /* index in the path table */
};

/* What a node itself holds in one domain; the numbers are in `values`. */
struct folded_entry {
    uint32_t node;
    uint32_t domain;
};

struct folded_tree {
    const struct path_table *table;
    enum folded_tree_direction direction;
    double share;                            /* smaller nodes are folded */
    uint64_t folded[PATH_TABLE_MAX_COLUMNS]; /* sum of what was folded, by column */
    struct folded_node *nodes;
    size_t count;
    size_t capacity;
    uint32_t *nodes_of; /* by path: the node that it is counted for */
    struct folded_entry *entries;
    uint64_t *values; /* by entry, table->columns each */
    size_t entry_count;
    size_t entry_capacity;
};

/* Folds nodes below `share`; if `share` is negative, chooses one so small that at most
 * a twentieth of any column is folded. The tree has the `max_nodes` largest nodes at
 * most: what does not fit is counted for the parent. 0 or -ENOMEM. The table must have
 * been aggregated, and must outlive the tree. */
must_check int folded_tree_open(struct folded_tree *tree,
                                const struct path_table *table,
                                enum folded_tree_direction direction, double share,
                                size_t max_nodes);

void folded_tree_close(struct folded_tree *tree);
