/* SPDX-License-Identifier: MIT */
#include "profile/folded_tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collection/array.h"

/* If no share is given: the most that may be folded, the share tried first, and the
 * share below which nothing is folded. */
static const double max_folded = 0.05, first_share = 1e-5, min_share = 1e-7;

/* The paths order[begin..end) pass through a node; their next step is `level`. */
struct branch {
    uint32_t node;
    uint32_t begin;
    uint32_t end;
    uint32_t level;
    double share;
};

struct group {
    uint32_t frame;
    uint32_t count;
    uint32_t begin;
    double share;
};

struct folding {
    struct folded_tree *tree;
    size_t max_nodes;
    uint32_t *order; /* paths; those of one branch are adjacent */
    uint32_t *sorted;
    struct group *groups; /* of the current branch */
    uint32_t group_count;
    uint32_t *group_of; /* by key_of(): valid if `marked` equals `mark` */
    uint32_t *marked;
    uint32_t mark; /* of the current branch */
    struct branch *branches;
    size_t branch_count;
    size_t branch_capacity;
    uint64_t *sums; /* by domain and column */
};

static int add_node(struct folded_tree *tree, uint32_t parent, uint32_t frame,
                    uint32_t *node) {
    if (array_reserve(&tree->nodes, &tree->capacity, tree->count + 1,
                      sizeof *tree->nodes) < 0)
        return -ENOMEM;
    *node = (uint32_t)tree->count++;
    tree->nodes[*node] = (struct folded_node){parent, frame};
    return 0;
}

static int reserve_entry(struct folded_tree *tree) {
    size_t wanted = tree->entry_count + 1, capacity = tree->entry_capacity;
    size_t row = tree->table->columns * sizeof *tree->values;
    int error = array_reserve(&tree->values, &capacity, wanted, row);
    if (error < 0)
        return error;
    return array_reserve(&tree->entries, &tree->entry_capacity, wanted,
                         sizeof *tree->entries);
}

/* Adds the sums of a domain as an entry unless they are 0, and clears them. */
static int add_entry(struct folding *folding, uint32_t node, uint32_t domain) {
    struct folded_tree *tree = folding->tree;
    unsigned columns = tree->table->columns;
    uint64_t *sums = folding->sums + domain * columns, any = 0;
    for (unsigned column = 0; column < columns; column++)
        any |= sums[column];
    if (any == 0)
        return 0;
    int error = reserve_entry(tree);
    if (error < 0)
        return error;
    tree->entries[tree->entry_count] = (struct folded_entry){node, domain};
    memcpy(tree->values + tree->entry_count * columns, sums, columns * sizeof *sums);
    memset(sums, 0, columns * sizeof *sums);
    tree->entry_count++;
    return 0;
}

static void add_to_sums(struct folding *folding, const struct group *group,
                        uint32_t node) {
    const struct path_table *table = folding->tree->table;
    for (uint32_t i = 0; i < group->count; i++) {
        uint32_t path = folding->order[group->begin + i];
        const uint64_t *values = table->values + (size_t)path * table->columns;
        uint64_t *sums = folding->sums + table->paths[path].domain * table->columns;
        folding->tree->nodes_of[path] = node;
        for (unsigned column = 0; column < table->columns; column++)
            sums[column] += values[column];
    }
}

static int add_entries(struct folding *folding, uint32_t node) {
    int error = 0;
    for (uint32_t i = 0; i < folding->tree->table->domain_count && error == 0; i++)
        error = add_entry(folding, node, i);
    return error;
}

/* 0 for a path that ends at this level, else 1 + the frame of its next step. */
static uint32_t key_of(const struct folding *folding, uint32_t path, uint32_t level) {
    const struct path_table *table = folding->tree->table;
    const struct path *entry = &table->paths[path];
    if (level == entry->length)
        return 0;
    uint32_t step = folding->tree->direction == FOLDED_TREE_CALLS
                        ? level
                        : entry->length - 1 - level;
    return table->steps[entry->first + step] + 1;
}

static struct group *find_group(struct folding *folding, uint32_t key) {
    if (folding->marked[key] != folding->mark) {
        folding->marked[key] = folding->mark;
        folding->group_of[key] = folding->group_count;
        folding->groups[folding->group_count++] = (struct group){.frame = key};
    }
    return &folding->groups[folding->group_of[key]];
}

static void find_groups(struct folding *folding, const struct branch *branch) {
    folding->mark++;
    folding->group_count = 0;
    for (uint32_t i = branch->begin; i < branch->end; i++) {
        uint32_t path = folding->order[i];
        struct group *group = find_group(folding, key_of(folding, path, branch->level));
        group->count++;
        group->share += (double)folding->tree->table->paths[path].share;
    }
}

/* Makes the paths of each group adjacent, in their previous order. */
static void sort_groups(struct folding *folding, const struct branch *branch) {
    uint32_t at = branch->begin;
    for (uint32_t i = 0; i < folding->group_count; i++) {
        folding->groups[i].begin = at;
        at += folding->groups[i].count;
    }
    if (folding->group_count == 1)
        return;
    for (uint32_t i = branch->begin; i < branch->end; i++) {
        uint32_t path = folding->order[i];
        struct group *group = find_group(folding, key_of(folding, path, branch->level));
        folding->sorted[group->begin++] = path;
    }
    for (uint32_t i = 0; i < folding->group_count; i++)
        folding->groups[i].begin -= folding->groups[i].count;
    memcpy(folding->order + branch->begin, folding->sorted + branch->begin,
           (branch->end - branch->begin) * sizeof *folding->order);
}

static void swap(struct branch *first, struct branch *second) {
    struct branch saved = *first;
    *first = *second;
    *second = saved;
}

/* The branches are a heap; its root is the largest. */
static int push(struct folding *folding, struct branch branch) {
    if (array_reserve(&folding->branches, &folding->branch_capacity,
                      folding->branch_count + 1, sizeof *folding->branches) < 0)
        return -ENOMEM;
    struct branch *heap = folding->branches;
    size_t at = folding->branch_count++;
    heap[at] = branch;
    for (; at > 0 && heap[at].share > heap[(at - 1) / 2].share; at = (at - 1) / 2)
        swap(&heap[at], &heap[(at - 1) / 2]);
    return 0;
}

static struct branch pop(struct folding *folding) {
    struct branch *heap = folding->branches;
    size_t count = --folding->branch_count, child;
    swap(&heap[0], &heap[count]);
    for (size_t at = 0; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && heap[child + 1].share > heap[child].share)
            child++;
        if (heap[at].share >= heap[child].share)
            break;
        swap(&heap[at], &heap[child]);
    }
    return heap[count];
}

static int follow_group(struct folding *folding, const struct branch *branch,
                        const struct group *group) {
    struct branch next = {
        .begin = group->begin,
        .end = group->begin + group->count,
        .level = branch->level + 1,
        .share = group->share,
    };
    int error = add_node(folding->tree, branch->node, group->frame - 1, &next.node);
    return error < 0 ? error : push(folding, next);
}

static bool is_folded(const struct folding *folding, const struct group *group) {
    return group->frame != 0 && group->share < folding->tree->share;
}

static int compare_shares(const void *first, const void *second) {
    const struct group *a = first, *b = second;
    if (a->share != b->share)
        return a->share < b->share ? 1 : -1;
    return (a->frame > b->frame) - (a->frame < b->frame);
}

static bool has_room(const struct folding *folding) {
    return folding->tree->count < folding->max_nodes;
}

/* Paths that end at the node are counted for it, as are those for which there is no
 * node left; groups below the share are counted for its node `other`. */
static int split_branch(struct folding *folding, const struct branch *branch) {
    bool any_folded = false;
    int error = 0;
    if (folding->tree->count + folding->group_count > folding->max_nodes)
        qsort(folding->groups, folding->group_count, sizeof *folding->groups,
              compare_shares);
    for (uint32_t i = 0; i < folding->group_count && error == 0; i++) {
        const struct group *group = &folding->groups[i];
        if (is_folded(folding, group))
            any_folded = true;
        else if (group->frame == 0 || !has_room(folding))
            add_to_sums(folding, group, branch->node);
        else
            error = follow_group(folding, branch, group);
    }
    bool has_other = any_folded && has_room(folding);
    for (uint32_t i = 0; i < folding->group_count && error == 0 && !has_other; i++)
        if (is_folded(folding, &folding->groups[i]))
            add_to_sums(folding, &folding->groups[i], branch->node);
    if (error == 0)
        error = add_entries(folding, branch->node);
    if (error < 0 || !has_other)
        return error;
    uint32_t other;
    error = add_node(folding->tree, branch->node, PATH_TABLE_OTHER, &other);
    for (uint32_t i = 0; i < folding->group_count && error == 0; i++)
        if (is_folded(folding, &folding->groups[i]))
            add_to_sums(folding, &folding->groups[i], other);
    return error == 0 ? add_entries(folding, other) : error;
}

static int allocate(struct folding *folding) {
    const struct path_table *table = folding->tree->table;
    size_t paths = table->count + 1, frames = table->frames.count + 1;
    folding->tree->nodes_of = calloc(paths, sizeof *folding->tree->nodes_of);
    folding->order = calloc(paths, sizeof *folding->order);
    folding->sorted = calloc(paths, sizeof *folding->sorted);
    folding->groups = calloc(frames, sizeof *folding->groups);
    folding->group_of = calloc(frames, sizeof *folding->group_of);
    folding->marked = calloc(frames, sizeof *folding->marked);
    folding->sums =
        calloc((size_t)PATH_TABLE_MAX_DOMAINS * table->columns, sizeof *folding->sums);
    bool failed = folding->tree->nodes_of == NULL || folding->order == NULL ||
                  folding->sorted == NULL || folding->groups == NULL ||
                  folding->group_of == NULL || folding->marked == NULL ||
                  folding->sums == NULL;
    return failed ? -ENOMEM : 0;
}

static void release(struct folding *folding) {
    free(folding->order);
    free(folding->sorted);
    free(folding->groups);
    free(folding->group_of);
    free(folding->marked);
    free(folding->branches);
    free(folding->sums);
}

/* There is no node left: the whole branch is counted for its node. */
static int end_branch(struct folding *folding, const struct branch *branch) {
    const struct group all = {.begin = branch->begin,
                              .count = branch->end - branch->begin};
    add_to_sums(folding, &all, branch->node);
    return add_entries(folding, branch->node);
}

/* Largest branches first: if nodes run out, the smallest ones are missing. */
static int fold(struct folding *folding) {
    struct folded_tree *tree = folding->tree;
    uint32_t root;
    for (uint32_t i = 0; i < tree->table->count; i++)
        folding->order[i] = i;
    tree->count = tree->entry_count = folding->branch_count = 0;
    int error = add_node(tree, 0, PATH_TABLE_ALL, &root);
    if (error == 0)
        error = push(folding, (struct branch){.end = (uint32_t)tree->table->count});
    while (error == 0 && folding->branch_count > 0) {
        struct branch branch = pop(folding);
        if (!has_room(folding)) {
            error = end_branch(folding, &branch);
            continue;
        }
        find_groups(folding, &branch);
        sort_groups(folding, &branch);
        error = split_branch(folding, &branch);
    }
    return error;
}

static void sum_folded(struct folded_tree *tree) {
    unsigned columns = tree->table->columns;
    memset(tree->folded, 0, sizeof tree->folded);
    for (size_t i = 0; i < tree->entry_count; i++)
        if (tree->nodes[tree->entries[i].node].frame == PATH_TABLE_OTHER)
            for (unsigned column = 0; column < columns; column++)
                tree->folded[column] += tree->values[i * columns + column];
}

static bool folds_too_much(const struct folded_tree *tree) {
    for (unsigned column = 0; column < tree->table->columns; column++)
        if ((double)tree->folded[column] >
            max_folded * (double)tree->table->totals[column])
            return true;
    return false;
}

int folded_tree_open(struct folded_tree *tree, const struct path_table *table,
                     enum folded_tree_direction direction, double share,
                     size_t max_nodes) {
    *tree =
        (struct folded_tree){.table = table, .direction = direction, .share = share};
    struct folding folding = {.tree = tree, .max_nodes = max_nodes};
    bool chooses_share = share < 0;
    if (chooses_share)
        tree->share = first_share;
    int error = allocate(&folding);
    for (;;) {
        if (error == 0)
            error = fold(&folding);
        if (error < 0)
            break;
        sum_folded(tree);
        if (!chooses_share || tree->share == 0 || !folds_too_much(tree))
            break;
        tree->share = tree->share > min_share ? tree->share / 8 : 0;
    }
    release(&folding);
    if (error < 0)
        folded_tree_close(tree);
    return error;
}

void folded_tree_close(struct folded_tree *tree) {
    free(tree->nodes);
    free(tree->nodes_of);
    free(tree->entries);
    free(tree->values);
    *tree = (struct folded_tree){0};
}
