/* SPDX-License-Identifier: MIT */
#include "report/grouping.h"

#include <errno.h>
#include <stdlib.h>

static struct frame shown_frame(const struct grouping *grouping, uint32_t stack) {
    struct frame frame = profile_frame(grouping->profile, stack);
    if (grouping->key == GROUPING_FILENAME)
        frame.line = 0;
    return frame;
}

/* Two windows are the same when their hash is, and their most recent frame. */
static struct id_pair group_key(const struct grouping *grouping, uint32_t stack,
                                struct frame frame) {
    struct id_pair pair = {(uint64_t)frame.name << 32 | frame.line, 0};
    if (grouping->key == GROUPING_TRACEBACK)
        pair.second = stack_index_hash(&grouping->index, stack);
    return pair;
}

static int grow(struct grouping *grouping) {
    size_t room = grouping->room == 0 ? 256 : grouping->room * 2;
    struct group *groups = realloc(grouping->groups, room * sizeof *groups);
    if (groups == NULL)
        return -ENOMEM;
    grouping->groups = groups;
    grouping->room = room;
    return 0;
}

static int add(struct grouping *grouping, uint32_t stack, struct weight weight) {
    struct frame frame = shown_frame(grouping, stack);
    int64_t id = id_map_add(&grouping->ids, group_key(grouping, stack, frame));
    if (id < 0)
        return (int)id;
    if ((size_t)id == grouping->room && grow(grouping) < 0)
        return -ENOMEM;
    struct group *group = &grouping->groups[id];
    if ((size_t)id == grouping->count) {
        *group = (struct group){.frame = frame, .stack = stack};
        grouping->count++;
    }
    group->stack = stack < group->stack ? stack : group->stack;
    group->weight.size += weight.size;
    group->weight.count += weight.count;
    return 0;
}

static int group_tallies(struct grouping *grouping) {
    const struct profile *profile = grouping->profile;
    for (size_t i = 0; i < profile->reader->tally_count; i++) {
        if (profile->tallies[i].count == 0)
            continue;
        int error =
            add(grouping, profile->reader->tallies[i].stack, profile->tallies[i]);
        if (error < 0)
            return error;
    }
    return 0;
}

/* What a tally adds to each frame of its window is added once, at the leaf, and taken
 * away above the window; the sums up the tree do the rest. Unsigned sums may wrap on
 * the way, the results do not. */
static void place_tallies(const struct grouping *grouping, struct weight *nodes) {
    const struct profile *profile = grouping->profile;
    for (size_t i = 0; i < profile->reader->tally_count; i++) {
        struct weight weight = profile->tallies[i];
        uint32_t stack = profile->reader->tallies[i].stack;
        nodes[stack].size += weight.size;
        nodes[stack].count += weight.count;
        uint32_t window = stack_index_window(&grouping->index, stack);
        uint32_t above = stack_index_ancestor(&grouping->index, stack, window);
        if (above == TRACEMALLOC_DUMP_EMPTY_STACK)
            continue;
        nodes[above].size -= weight.size;
        nodes[above].count -= weight.count;
    }
}

/* Children come after their parents. The empty stack is nobody's caller. */
static void sum_up(const struct dump_reader *reader, struct weight *nodes) {
    for (size_t id = reader->stack_count; id-- > 1;) {
        uint32_t parent = reader->stacks[id].parent;
        if (parent == TRACEMALLOC_DUMP_EMPTY_STACK)
            continue;
        nodes[parent].size += nodes[id].size;
        nodes[parent].count += nodes[id].count;
    }
}

static int group_nodes(struct grouping *grouping, const struct weight *nodes) {
    for (uint32_t id = 0; id < grouping->profile->reader->stack_count; id++) {
        int error = nodes[id].count > 0 ? add(grouping, id, nodes[id]) : 0;
        if (error < 0)
            return error;
    }
    return 0;
}

static int group_cumulatively(struct grouping *grouping) {
    const struct dump_reader *reader = grouping->profile->reader;
    struct weight *nodes = calloc(reader->stack_count, sizeof *nodes);
    if (nodes == NULL)
        return -ENOMEM;
    place_tallies(grouping, nodes);
    sum_up(reader, nodes);
    int error = group_nodes(grouping, nodes);
    free(nodes);
    return error;
}

int grouping_open(struct grouping *grouping, const struct profile *profile,
                  enum grouping_key key, bool cumulative) {
    *grouping =
        (struct grouping){.profile = profile, .key = key, .cumulative = cumulative};
    int error = 0;
    if (cumulative || key == GROUPING_TRACEBACK)
        error = stack_index_open(&grouping->index, profile);
    if (error == 0)
        error = cumulative ? group_cumulatively(grouping) : group_tallies(grouping);
    if (error < 0)
        grouping_close(grouping);
    return error;
}

void grouping_close(struct grouping *grouping) {
    stack_index_close(&grouping->index);
    id_map_clear(&grouping->ids);
    free(grouping->groups);
    *grouping = (struct grouping){0};
}

const struct group *grouping_find_frame(const struct grouping *grouping,
                                        struct frame frame) {
    int64_t id = id_map_find(&grouping->ids, group_key(grouping, 0, frame));
    return id < 0 ? NULL : &grouping->groups[id];
}

const struct group *grouping_find(const struct grouping *grouping,
                                  const struct grouping *other, size_t group) {
    int64_t id = id_map_find(&grouping->ids, other->ids.pairs[group]);
    return id < 0 ? NULL : &grouping->groups[id];
}
