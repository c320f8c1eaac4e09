/* SPDX-License-Identifier: MIT */
#include "profile/call_tree.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "collection/array.h"
#include "collection/id_map.h"
#include "profile/inner_frames.h"

/* Returns the index of the new node, or -ENOMEM. */
static int64_t add_node(struct call_tree *tree, const struct call_node *node) {
    if (array_reserve(&tree->nodes, &tree->capacity, tree->count + 1,
                      sizeof *tree->nodes) < 0)
        return -ENOMEM;
    tree->nodes[tree->count] = *node;
    return (int64_t)tree->count++;
}

/* Returns the index of the new node, or CALL_TREE_ROOT if it is below the threshold and
 * was only added to the parent's `folded`. */
static int64_t add_or_fold(struct call_tree *tree, const struct call_node *node) {
    struct call_node *parent = &tree->nodes[node->parent];
    if (node->weight.size >= tree->threshold && node->weight.count > 0)
        return add_node(tree, node);
    weight_add(&parent->folded, node->weight);
    parent->folded_count += node->weight.count > 0;
    return CALL_TREE_ROOT;
}

static int add_root(struct call_tree *tree, const struct profile *profile,
                    double share) {
    struct call_node root = {.weight = profile->total};
    *tree = (struct call_tree){
        .profile = profile,
        .threshold = (uint64_t)(share * (double)profile->total.size),
    };
    return add_node(tree, &root) < 0 ? -ENOMEM : 0;
}

struct ranked {
    uint32_t node;
    struct weight weight;
};

/* Smallest first: link_children prepends, so the last one becomes the first child. */
static int compare_ranked(const void *first, const void *second) {
    const struct ranked *a = first, *b = second;
    int order = weight_compare(a->weight, b->weight);
    return order != 0 ? order : (a->node < b->node) - (a->node > b->node);
}

static int link_children(struct call_tree *tree) {
    struct ranked *order = calloc(tree->count, sizeof *order);
    if (order == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < tree->count; i++)
        order[i] = (struct ranked){i, tree->nodes[i].weight};
    qsort(order, tree->count, sizeof *order, compare_ranked);
    for (size_t i = 0; i < tree->count; i++) {
        struct call_node *node = &tree->nodes[order[i].node];
        if (order[i].node == CALL_TREE_ROOT)
            continue;
        node->next = tree->nodes[node->parent].first_child;
        tree->nodes[node->parent].first_child = order[i].node;
    }
    free(order);
    return 0;
}

/* The dump's tree of stacks. Stacks that differ only by uncertain lines are merged into
 * the first of them. */
struct stack_tree {
    const struct profile *profile;
    const struct dump_reader *reader;
    struct weight *weights; /* by stack: its own, then with its callees */
    uint32_t *inner;        /* by stack: see inner_frames_count */
    uint32_t *merged;       /* by stack: the stack that it is merged into, or itself */
    uint32_t *nodes;        /* by stack: its node in the call tree, or CALL_TREE_ROOT */
};

static int open_stacks(struct stack_tree *stacks, const struct profile *profile) {
    const struct dump_reader *reader = profile->reader;
    *stacks = (struct stack_tree){
        .profile = profile,
        .reader = reader,
        .weights = calloc(reader->stack_count, sizeof *stacks->weights),
        .inner = calloc(reader->stack_count, sizeof *stacks->inner),
        .merged = calloc(reader->stack_count, sizeof *stacks->merged),
        .nodes = calloc(reader->stack_count, sizeof *stacks->nodes),
    };
    bool failed = stacks->weights == NULL || stacks->inner == NULL ||
                  stacks->merged == NULL || stacks->nodes == NULL;
    return failed ? -ENOMEM : 0;
}

static void close_stacks(struct stack_tree *stacks) {
    free(stacks->weights);
    free(stacks->inner);
    free(stacks->merged);
    free(stacks->nodes);
}

static void aggregate_stacks(struct stack_tree *stacks, const struct profile *profile) {
    const struct dump_reader *reader = stacks->reader;
    for (size_t i = 0; i < reader->site_count; i++) {
        uint32_t stack = reader->sites[i].stack;
        weight_add(&stacks->weights[stack], profile->sites[i]);
    }
    inner_frames_count(reader, profile->sites, stacks->inner);
}

static bool has_line(const struct stack_tree *stacks, uint32_t stack) {
    return stacks->inner[stack] <= stacks->reader->header.nframe ||
           profile_native(stacks->profile, stack) != NULL;
}

static int merge_stacks(struct stack_tree *stacks) {
    const struct dump_reader *reader = stacks->reader;
    struct id_map ids = {0};
    struct id_pair empty = {UINT64_MAX, UINT64_MAX};
    uint32_t *firsts = calloc(reader->stack_count + 1, sizeof *firsts);
    int64_t id = firsts == NULL ? -ENOMEM : id_map_add(&ids, empty);
    for (uint32_t stack = 1; id >= 0 && stack < reader->stack_count; stack++) {
        const struct tracemalloc_dump_stack *node = &reader->stacks[stack];
        uint64_t parent = stacks->merged[node->parent];
        struct id_pair key = {parent << 32 | node->code,
                              (uint64_t)node->high << 32 | node->line};
        if (!has_line(stacks, stack))
            key.second = UINT64_MAX;
        id = id_map_add(&ids, key);
        if (id < 0)
            break;
        if (firsts[id] == 0)
            firsts[id] = stack;
        stacks->merged[stack] = firsts[id];
    }
    free(firsts);
    id_map_clear(&ids);
    return id < 0 ? -ENOMEM : 0;
}

static void keep_stacks_apart(struct stack_tree *stacks) {
    for (uint32_t stack = 0; stack < stacks->reader->stack_count; stack++)
        stacks->merged[stack] = stack;
}

/* Adds each stack to its caller, innermost first. Stack 0 has its own blocks only:
 * those without a frame. */
static void add_to_callers(struct stack_tree *stacks) {
    const struct dump_reader *reader = stacks->reader;
    for (size_t id = reader->stack_count; id-- > 1;) {
        uint32_t merged = stacks->merged[id];
        uint32_t target =
            merged != id ? merged : stacks->merged[reader->stacks[id].parent];
        if (target == TRACEMALLOC_DUMP_EMPTY_STACK)
            continue;
        weight_add(&stacks->weights[target], stacks->weights[id]);
    }
}

/* Callers come before their callees, and hold at least as much: if a caller was folded,
 * its callees are in the same `folded` already. */
static int add_stacks(struct call_tree *tree, struct stack_tree *stacks) {
    const struct dump_reader *reader = stacks->reader;
    for (uint32_t id = 0; id < reader->stack_count; id++) {
        uint32_t caller = id == 0 ? 0 : stacks->merged[reader->stacks[id].parent];
        uint32_t parent = caller == TRACEMALLOC_DUMP_EMPTY_STACK
                              ? CALL_TREE_ROOT
                              : stacks->nodes[caller];
        bool caller_folded =
            caller != TRACEMALLOC_DUMP_EMPTY_STACK && parent == CALL_TREE_ROOT;
        if (stacks->merged[id] != id || caller_folded)
            continue;
        struct call_node node = {.stack = id,
                                 .has_line = has_line(stacks, id),
                                 .weight = stacks->weights[id],
                                 .parent = parent};
        int64_t added = add_or_fold(tree, &node);
        if (added < 0)
            return -ENOMEM;
        stacks->nodes[id] = (uint32_t)added;
    }
    return 0;
}

static int build(struct call_tree *tree) {
    struct stack_tree stacks;
    const struct dump_reader *reader = tree->profile->reader;
    int error = open_stacks(&stacks, tree->profile);
    if (error == 0)
        aggregate_stacks(&stacks, tree->profile);
    if (error == 0 && stacks.inner[0] > reader->header.nframe + 1)
        error = merge_stacks(&stacks);
    else if (error == 0)
        keep_stacks_apart(&stacks);
    if (error == 0) {
        add_to_callers(&stacks);
        error = add_stacks(tree, &stacks);
    }
    close_stacks(&stacks);
    return error == 0 ? link_children(tree) : error;
}

int call_tree_open(struct call_tree *tree, const struct profile *profile,
                   double share) {
    int error = add_root(tree, profile, share);
    if (error == 0)
        error = build(tree);
    if (error < 0)
        call_tree_close(tree);
    return error;
}

/* A walk from a stack's most recent frame outwards. */
struct cursor {
    uint32_t stack; /* whose frame is next */
    uint32_t node;  /* reached so far, in the call tree */
    struct weight weight;
};

/* The cursors at one depth, grouped by node and next frame. */
struct level {
    struct id_map ids;
    struct call_node *groups; /* by id */
    int64_t *nodes;           /* by id: in the call tree, or CALL_TREE_ROOT if folded */
    uint32_t *group_of;       /* by cursor */
};

static struct id_pair cursor_key(const struct dump_reader *reader,
                                 const struct cursor *cursor) {
    const struct tracemalloc_dump_stack *stack = &reader->stacks[cursor->stack];
    return (struct id_pair){(uint64_t)cursor->node << 32 | stack->code,
                            (uint64_t)stack->high << 32 | stack->line};
}

static int group_cursors(struct level *level, const struct call_tree *tree,
                         const struct cursor *cursors, size_t count) {
    for (size_t i = 0; i < count; i++) {
        size_t next_id = level->ids.count;
        int64_t id =
            id_map_add(&level->ids, cursor_key(tree->profile->reader, &cursors[i]));
        if (id < 0)
            return -ENOMEM;
        if ((size_t)id == next_id)
            level->groups[id] = (struct call_node){
                .stack = cursors[i].stack, .has_line = true, .parent = cursors[i].node};
        level->group_of[i] = (uint32_t)id;
        weight_add(&level->groups[id].weight, cursors[i].weight);
    }
    return 0;
}

static int add_groups(struct level *level, struct call_tree *tree) {
    for (size_t id = 0; id < level->ids.count; id++) {
        level->nodes[id] = add_or_fold(tree, &level->groups[id]);
        if (level->nodes[id] < 0)
            return -ENOMEM;
    }
    return 0;
}

/* Moves each cursor to its caller and drops those that were folded or have none.
 * Returns how many are left. */
static size_t advance(const struct level *level, const struct call_tree *tree,
                      struct cursor *cursors, size_t count) {
    size_t left = 0;
    for (size_t i = 0; i < count; i++) {
        int64_t node = level->nodes[level->group_of[i]];
        uint32_t caller = tree->profile->reader->stacks[cursors[i].stack].parent;
        if (node == CALL_TREE_ROOT || caller == TRACEMALLOC_DUMP_EMPTY_STACK)
            continue;
        cursors[left++] = (struct cursor){caller, (uint32_t)node, cursors[i].weight};
    }
    return left;
}

/* Returns how many cursors are left for the next level, or -ENOMEM. */
static int64_t add_level(struct call_tree *tree, struct cursor *cursors, size_t count) {
    struct level level = {
        .groups = calloc(count, sizeof *level.groups),
        .nodes = calloc(count, sizeof *level.nodes),
        .group_of = calloc(count, sizeof *level.group_of),
    };
    int64_t left = -ENOMEM;
    if (level.groups != NULL && level.nodes != NULL && level.group_of != NULL &&
        group_cursors(&level, tree, cursors, count) == 0 &&
        add_groups(&level, tree) == 0)
        left = (int64_t)advance(&level, tree, cursors, count);
    free(level.groups);
    free(level.nodes);
    free(level.group_of);
    id_map_clear(&level.ids);
    return left;
}

static size_t open_cursors(struct cursor *cursors, const struct profile *profile) {
    size_t count = 0;
    for (size_t i = 0; i < profile->reader->site_count; i++)
        if (profile->sites[i].count > 0)
            cursors[count++] = (struct cursor){profile->reader->sites[i].stack,
                                               CALL_TREE_ROOT, profile->sites[i]};
    return count;
}

static int build_inverted(struct call_tree *tree) {
    const struct dump_reader *reader = tree->profile->reader;
    struct cursor *cursors = calloc(reader->site_count + 1, sizeof *cursors);
    if (cursors == NULL)
        return -ENOMEM;
    int64_t left = (int64_t)open_cursors(cursors, tree->profile);
    for (uint32_t frame = 0; frame < reader->header.nframe && left > 0; frame++)
        left = add_level(tree, cursors, (size_t)left);
    free(cursors);
    return left < 0 ? -ENOMEM : link_children(tree);
}

int call_tree_open_inverted(struct call_tree *tree, const struct profile *profile,
                            double share) {
    int error = add_root(tree, profile, share);
    if (error == 0)
        error = build_inverted(tree);
    if (error < 0)
        call_tree_close(tree);
    return error;
}

void call_tree_close(struct call_tree *tree) {
    free(tree->nodes);
    *tree = (struct call_tree){0};
}

struct weight call_tree_own(const struct call_tree *tree, uint32_t node) {
    assert(node < tree->count);
    const struct call_node *nodes = tree->nodes;
    struct weight own = nodes[node].weight;
    weight_subtract(&own, nodes[node].folded);
    for (uint32_t child = nodes[node].first_child; child != CALL_TREE_NONE;
         child = nodes[child].next) {
        weight_subtract(&own, nodes[child].weight);
    }
    return own;
}
