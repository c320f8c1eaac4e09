/* SPDX-License-Identifier: MIT */
#include "profile/grouping.h"

#include <errno.h>
#include <stdlib.h>

#include "collection/array.h"

/* Bounds the time that a small damaged file can cost. */
static const uint64_t max_steps = (uint64_t)1 << 28;

/* The name id of grouping_owner. */
static uint32_t owner_name(const struct profile *profile, uint32_t stack) {
    const struct dump_native *native = profile_native(profile, stack);
    return native == NULL ? profile_frame(profile, stack).name
                          : profile->module_names[native->module];
}

struct dump_text grouping_owner(const struct profile *profile, uint32_t stack) {
    return profile->names->texts[owner_name(profile, stack)];
}

static bool has_function(const struct profile *profile, uint32_t stack) {
    return profile_function(profile, stack).length > 0;
}

/* Native code without source is grouped under its module. */
static uint32_t file_name(const struct profile *profile, uint32_t stack) {
    const struct dump_native *native = profile_native(profile, stack);
    return native != NULL && !native->has_source ? owner_name(profile, stack)
                                                 : profile_frame(profile, stack).name;
}

struct frame grouping_frame(const struct profile *profile, enum grouping_key key,
                            uint32_t stack) {
    struct frame frame = profile_frame(profile, stack);
    if (key == GROUPING_FILENAME)
        frame = (struct frame){.name = file_name(profile, stack)};
    if (key == GROUPING_MODULE)
        frame = (struct frame){.name = owner_name(profile, stack)};
    if (key == GROUPING_FUNCTION && has_function(profile, stack))
        frame.name = profile->function_names[profile_code(profile, stack)];
    if (key == GROUPING_FUNCTION)
        frame.line = 0;
    return frame;
}

/* A type's name is the frame's where there is no line. */
static struct frame type_frame(const struct grouping *grouping, uint32_t stack,
                               uint32_t type) {
    return grouping->key == GROUPING_TYPE
               ? (struct frame){.name = type}
               : grouping_frame(grouping->profile, grouping->key, stack);
}

/* Windows are equal if their hashes and their most recent frames are. */
static struct id_pair group_key(const struct grouping *grouping, uint32_t stack,
                                struct frame frame) {
    struct id_pair pair = {(uint64_t)frame.name << 32 | frame.line, 0};
    if (grouping->key == GROUPING_TRACEBACK)
        pair.second = stack_index_hash(&grouping->index, stack);
    if (grouping->key == GROUPING_FUNCTION)
        pair.second = owner_name(grouping->profile, stack);
    return pair;
}

/* Returns the group with a key, or -ENOMEM. */
static int64_t add_group_of(struct grouping *grouping, struct id_pair key,
                            struct group group) {
    int64_t id = id_map_add(&grouping->ids, key);
    if (id < 0)
        return id;
    if (array_reserve(&grouping->groups, &grouping->capacity, (size_t)id + 1,
                      sizeof *grouping->groups) < 0)
        return -ENOMEM;
    if ((size_t)id == grouping->count)
        grouping->groups[grouping->count++] = group;
    return id;
}

/* Returns the group of a stack's most recent frame, or -ENOMEM. */
static int64_t add_group(struct grouping *grouping, uint32_t stack) {
    struct frame frame = grouping_frame(grouping->profile, grouping->key, stack);
    return add_group_of(grouping, group_key(grouping, stack, frame),
                        (struct group){.frame = frame, .stack = stack});
}

static void keep_lowest_stack(struct group *group, uint32_t stack) {
    group->stack = stack < group->stack ? stack : group->stack;
}

static void add_weight(struct grouping *grouping, int64_t group, struct weight weight) {
    weight_add(&grouping->groups[group].weight, weight);
}

static uint32_t function_name(const struct profile *profile, uint32_t stack) {
    return profile->function_names[profile_code(profile, stack)];
}

/* Counts what each function holds of a line. Few lines are shared, so counting begins
 * with the second function. */
static int add_share(struct grouping *grouping, uint32_t id, uint32_t stack,
                     struct weight weight) {
    struct group *group = &grouping->groups[id];
    uint32_t first = function_name(grouping->profile, group->stack);
    uint32_t function = function_name(grouping->profile, stack);
    bool by_line =
        grouping->key == GROUPING_LINENO || grouping->key == GROUPING_TRACEBACK;
    if (!by_line || (function == first && !group->is_shared)) {
        keep_lowest_stack(group, stack);
        return 0;
    }
    int error = 0;
    if (!group->is_shared)
        error = function_shares_add(&grouping->shares, id, first, group->stack,
                                    group->weight);
    group->is_shared = true;
    return error < 0
               ? error
               : function_shares_add(&grouping->shares, id, function, stack, weight);
}

/* Gives each shared line a stack of the function that holds most of it. */
static void choose_functions(struct grouping *grouping) {
    const struct function_shares *shares = &grouping->shares;
    function_shares_sort(&grouping->shares);
    for (size_t i = 0; i < shares->count; i++)
        grouping->groups[shares->shares[i].line].stack = shares->shares[i].stack;
    function_shares_close(&grouping->shares);
}

/* Returns the group, or -ENOMEM. */
static int64_t add(struct grouping *grouping, uint32_t stack, struct weight weight) {
    int64_t group = add_group(grouping, stack);
    int error =
        group < 0 ? (int)group : add_share(grouping, (uint32_t)group, stack, weight);
    if (error < 0)
        return error;
    add_weight(grouping, group, weight);
    return group;
}

static int group_sites(struct grouping *grouping) {
    const struct profile *profile = grouping->profile;
    size_t count = profile->reader->site_count;
    grouping->of_sites = calloc(count + 1, sizeof *grouping->of_sites);
    if (grouping->of_sites == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        if (profile->sites[i].count == 0)
            continue;
        int64_t group =
            add(grouping, profile->reader->sites[i].stack, profile->sites[i]);
        if (group < 0)
            return (int)group;
        grouping->of_sites[i] = (uint32_t)group + 1;
    }
    return 0;
}

/* A site without weight was filtered out. */
static int group_types(struct grouping *grouping) {
    const struct profile *profile = grouping->profile;
    const struct dump_reader *reader = profile->reader;
    for (size_t i = 0; i < reader->census_count; i++) {
        const struct tracemalloc_dump_census *entry = &reader->census[i];
        uint32_t site = dump_bucket_site(&reader->buckets[entry->bucket]);
        uint32_t stack = reader->sites[site].stack;
        uint32_t type = profile->type_names[entry->type];
        struct weight weight = profile_census_weight(reader, i);
        if (profile->sites[site].count == 0 || weight.count == 0)
            continue;
        struct frame frame = type_frame(grouping, stack, type);
        struct id_pair key = {(uint64_t)frame.name << 32 | frame.line, type};
        int64_t group =
            add_group_of(grouping, key,
                         (struct group){.frame = frame, .stack = stack, .type = type});
        if (group < 0)
            return (int)group;
        keep_lowest_stack(&grouping->groups[group], stack);
        add_weight(grouping, group, weight);
    }
    return 0;
}

/* A site counts for each frame of its window: it is added to the innermost one and
 * subtracted from the first frame outside, and add_to_callers fills in the rest.
 * Unsigned sums may wrap in between; the results do not. */
static void add_windows(const struct grouping *grouping, struct weight *nodes) {
    const struct profile *profile = grouping->profile;
    for (size_t i = 0; i < profile->reader->site_count; i++) {
        struct weight weight = profile->sites[i];
        uint32_t stack = profile->reader->sites[i].stack;
        weight_add(&nodes[stack], weight);
        uint32_t window = stack_index_window(&grouping->index, stack);
        uint32_t outside = stack_index_ancestor(&grouping->index, stack, window);
        if (outside == TRACEMALLOC_DUMP_EMPTY_STACK)
            continue;
        weight_subtract(&nodes[outside], weight);
    }
}

/* Callees come after their callers. The empty stack is no caller. */
static void add_to_callers(const struct dump_reader *reader, struct weight *nodes) {
    for (size_t id = reader->stack_count; id-- > 1;) {
        uint32_t parent = reader->stacks[id].parent;
        if (parent == TRACEMALLOC_DUMP_EMPTY_STACK)
            continue;
        weight_add(&nodes[parent], nodes[id]);
    }
}

static int group_nodes(struct grouping *grouping, const struct weight *nodes) {
    for (uint32_t id = 0; id < grouping->profile->reader->stack_count; id++) {
        int64_t group = nodes[id].count > 0 ? add(grouping, id, nodes[id]) : 0;
        if (group < 0)
            return (int)group;
    }
    return 0;
}

static int group_cumulatively(struct grouping *grouping) {
    const struct dump_reader *reader = grouping->profile->reader;
    struct weight *nodes = calloc(reader->stack_count, sizeof *nodes);
    if (nodes == NULL)
        return -ENOMEM;
    add_windows(grouping, nodes);
    add_to_callers(reader, nodes);
    int error = group_nodes(grouping, nodes);
    free(nodes);
    return error;
}

/* State of grouping each site once per function or module. */
struct visits {
    uint32_t *groups; /* by stack: cached group + 1; 0: not looked up yet */
    size_t *sites;    /* by group: the last site counted + 1 */
    uint64_t steps;   /* frames visited, bounded by max_steps */
};

/* Counts one site for the groups of its window, each once. */
static int visit_site(struct grouping *grouping, struct visits *visits, size_t site) {
    const struct dump_reader *reader = grouping->profile->reader;
    uint32_t stack = reader->sites[site].stack, left = reader->header.nframe;
    do {
        uint32_t *cached = &visits->groups[stack];
        int64_t group = *cached > 0 ? *cached - 1 : add_group(grouping, stack);
        if (group < 0 || ++visits->steps > max_steps)
            return group < 0 ? -ENOMEM : -EFBIG;
        keep_lowest_stack(&grouping->groups[group], stack);
        if (visits->sites[group] != site + 1)
            add_weight(grouping, group, grouping->profile->sites[site]);
        visits->sites[group] = site + 1;
        *cached = (uint32_t)group + 1;
        stack = reader->stacks[stack].parent;
    } while (--left > 0 && stack != TRACEMALLOC_DUMP_EMPTY_STACK);
    return 0;
}

/* There are at most as many groups as stacks. */
static int group_once(struct grouping *grouping) {
    const struct profile *profile = grouping->profile;
    size_t count = profile->reader->stack_count;
    struct visits visits = {.groups = calloc(count, sizeof *visits.groups),
                            .sites = calloc(count, sizeof *visits.sites)};
    int error = visits.groups == NULL || visits.sites == NULL ? -ENOMEM : 0;
    for (size_t i = 0; i < profile->reader->site_count && error == 0; i++)
        if (profile->sites[i].count > 0)
            error = visit_site(grouping, &visits, i);
    free(visits.groups);
    free(visits.sites);
    return error;
}

static int group(struct grouping *grouping) {
    bool by_name =
        grouping->key == GROUPING_FUNCTION || grouping->key == GROUPING_MODULE;
    if (grouping_is_by_type(grouping->key))
        return group_types(grouping);
    if (!grouping->cumulative)
        return group_sites(grouping);
    return by_name ? group_once(grouping) : group_cumulatively(grouping);
}

int grouping_open(struct grouping *grouping, const struct profile *profile,
                  enum grouping_key key, bool cumulative) {
    *grouping =
        (struct grouping){.profile = profile, .key = key, .cumulative = cumulative};
    int error = 0;
    if (cumulative || key == GROUPING_TRACEBACK)
        error = stack_index_open(&grouping->index, profile);
    if (error == 0)
        error = group(grouping);
    if (error == 0)
        choose_functions(grouping);
    else
        grouping_close(grouping);
    return error;
}

void grouping_close(struct grouping *grouping) {
    stack_index_close(&grouping->index);
    function_shares_close(&grouping->shares);
    id_map_clear(&grouping->ids);
    free(grouping->groups);
    free(grouping->of_sites);
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
