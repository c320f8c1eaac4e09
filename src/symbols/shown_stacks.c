/* SPDX-License-Identifier: MIT */
#include "symbols/shown_stacks.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "collection/array.h"
#include "collection/id_map.h"
#include "symbols/native_frames.h"

enum { FIXED_STACKS = 2, NO_LIMIT = UINT16_MAX };

/* A small damaged file must not keep a report busy, nor fill the memory. */
static const uint64_t most_steps = (uint64_t)1 << 28;
static const size_t most_nodes = (size_t)1 << 26;

/* Frames of each kind in a stack. */
struct depth {
    uint32_t python;
    uint32_t native;
};

struct building {
    struct dump_reader *reader;
    const struct shown_stacks_options *options;
    struct native_frames frames;
    struct array nodes;   /* struct tracemalloc_dump_stack: the new tree */
    struct array lengths; /* uint32_t, by new node: frames from the root */
    struct id_map ids;    /* of new nodes, by parent, code and line */
    uint32_t *whole;      /* new node, by stack */
    uint32_t *cut;        /* the same of stacks that were cut to the limits; or 0 */
    struct depth *depths; /* by stack */
    struct depth limits;
    uint32_t *picked; /* nodes of a stack that are shown, the most recent first */
    uint64_t steps;
};

static bool is_native(const struct tracemalloc_dump_stack *node) {
    return (node->code & TRACEMALLOC_DUMP_NATIVE) != 0;
}

static bool has_native(const struct dump_reader *reader) {
    if (reader->module_count == 0)
        return false;
    for (size_t id = 0; id < reader->stack_count; id++)
        if (is_native(&reader->stacks[id]))
            return true;
    return false;
}

static int append_node(struct building *building,
                       const struct tracemalloc_dump_stack *node, uint32_t length) {
    if (building->nodes.count == most_nodes)
        return -EFBIG;
    if (array_append(&building->nodes, node, 1) < 0 ||
        array_append(&building->lengths, &length, 1) < 0)
        return -ENOMEM;
    return 0;
}

/* The new node below another one; known or new. -errno. */
static int64_t add_node(struct building *building, uint32_t parent, uint32_t code,
                        uint32_t line) {
    struct id_pair key = {(uint64_t)parent << 32 | code, line};
    struct tracemalloc_dump_stack node = {.parent = parent, .code = code, .line = line};
    const uint32_t *lengths = building->lengths.entries;
    int64_t id = id_map_add(&building->ids, key);
    if (id < 0 || (size_t)id + FIXED_STACKS < building->nodes.count)
        return id < 0 ? id : id + FIXED_STACKS;
    int error = append_node(building, &node, lengths[parent] + 1);
    return error < 0 ? error : id + FIXED_STACKS;
}

static int64_t add_native(struct building *building, uint32_t parent,
                          const struct tracemalloc_dump_stack *node) {
    struct native_frame_list list;
    int64_t at = parent;
    if (building->options->without_native)
        return at;
    int error =
        native_frames_find(&building->frames, node->code & ~TRACEMALLOC_DUMP_NATIVE,
                           (uint64_t)node->high << 32 | node->line, &list);
    for (size_t i = 0; i < list.count && error == 0; i++) {
        at = add_node(building, (uint32_t)at, list.frames[i].code, list.frames[i].line);
        error = at < 0 ? (int)at : 0;
    }
    return error < 0 ? error : at;
}

static int64_t add_frames(struct building *building, uint32_t parent,
                          const struct tracemalloc_dump_stack *node) {
    return is_native(node) ? add_native(building, parent, node)
                           : add_node(building, parent, node->code, node->line);
}

/* Parents come before their children. */
static int add_whole_stacks(struct building *building) {
    const struct dump_reader *reader = building->reader;
    for (uint32_t id = 0; id < reader->stack_count; id++) {
        const struct tracemalloc_dump_stack *node = &reader->stacks[id];
        if (id < FIXED_STACKS) {
            building->whole[id] = id;
            continue;
        }
        int64_t shown = add_frames(building, building->whole[node->parent], node);
        if (shown < 0)
            return (int)shown;
        building->whole[id] = (uint32_t)shown;
        building->depths[id] = building->depths[node->parent];
        building->depths[id].python += !is_native(node);
        building->depths[id].native += is_native(node);
    }
    return 0;
}

/* The nodes of a stack that are shown; how many. */
static uint32_t pick(struct building *building, uint32_t stack) {
    const struct tracemalloc_dump_stack *stacks = building->reader->stacks;
    struct depth left = building->limits;
    uint32_t count = 0;
    while (stack != TRACEMALLOC_DUMP_EMPTY_STACK && left.python + left.native > 0) {
        uint32_t *budget = is_native(&stacks[stack]) ? &left.native : &left.python;
        if (*budget > 0) {
            building->picked[count++] = stack;
            *budget -= 1;
        }
        stack = stacks[stack].parent;
        building->steps++;
    }
    return count;
}

static int64_t cut_stack(struct building *building, uint32_t stack) {
    const struct tracemalloc_dump_stack *stacks = building->reader->stacks;
    int64_t at = TRACEMALLOC_DUMP_EMPTY_STACK;
    for (uint32_t left = pick(building, stack); left > 0 && at >= 0; left--)
        at = add_frames(building, (uint32_t)at, &stacks[building->picked[left - 1]]);
    return building->steps > most_steps ? -EFBIG : at;
}

/* The new node of a stack, or -errno. */
static int64_t shown_stack(struct building *building, uint32_t stack) {
    struct depth depth = building->depths[stack], limits = building->limits;
    bool fits = depth.python <= limits.python && depth.native <= limits.native;
    if (fits || building->options->whole || building->options->without_native)
        return building->whole[stack];
    if (building->cut[stack] == 0) {
        int64_t shown = cut_stack(building, stack);
        if (shown < 0)
            return shown;
        building->cut[stack] = (uint32_t)shown;
    }
    return building->cut[stack];
}

/* Tallies become those of the new nodes; the longest of their stacks, or -errno. */
static int64_t move_tallies(struct building *building) {
    struct dump_reader *reader = building->reader;
    struct tracemalloc_dump_tally *tallies =
        (struct tracemalloc_dump_tally *)reader->tallies;
    uint32_t longest = 1;
    for (size_t i = 0; i < reader->tally_count; i++) {
        int64_t shown = shown_stack(building, tallies[i].stack);
        if (shown < 0)
            return shown;
        const uint32_t *lengths = building->lengths.entries;
        longest = lengths[shown] > longest ? lengths[shown] : longest;
        tallies[i].stack = (uint32_t)shown;
    }
    return longest;
}

static int open_building(struct building *building) {
    const struct dump_reader *reader = building->reader;
    const struct tracemalloc_dump_header *header = &reader->header;
    size_t count = reader->stack_count + FIXED_STACKS;
    uint32_t native = header->native_nframe;
    building->limits = (struct depth){header->nframe, native == 0 ? NO_LIMIT : native};
    building->nodes.entry_size = sizeof(struct tracemalloc_dump_stack);
    building->lengths.entry_size = sizeof(uint32_t);
    building->whole = calloc(count, sizeof *building->whole);
    building->cut = calloc(count, sizeof *building->cut);
    building->depths = calloc(count, sizeof *building->depths);
    building->picked = calloc(building->limits.python + building->limits.native,
                              sizeof *building->picked);
    if (building->whole == NULL || building->cut == NULL || building->depths == NULL ||
        building->picked == NULL)
        return -ENOMEM;
    int error = 0;
    for (uint32_t id = 0; id < FIXED_STACKS && error == 0; id++)
        error = append_node(building, &reader->stacks[id], id);
    return error;
}

static void close_building(struct building *building) {
    free(building->nodes.entries);
    free(building->lengths.entries);
    id_map_clear(&building->ids);
    free(building->whole);
    free(building->cut);
    free(building->depths);
    free(building->picked);
}

static int install(struct building *building, uint32_t longest) {
    struct dump_reader *reader = building->reader;
    const struct shown_stacks_options *options = building->options;
    free((void *)reader->stacks);
    reader->stacks = building->nodes.entries;
    reader->stack_count = building->nodes.count;
    building->nodes.entries = NULL;
    if (!options->whole && !options->without_native)
        reader->header.nframe = longest;
    return native_frames_install(&building->frames);
}

int shown_stacks_apply(struct dump_reader *reader,
                       const struct shown_stacks_options *options) {
    struct building building = {.reader = reader, .options = options};
    if (!has_native(reader))
        return 0;
    int error = native_frames_open(&building.frames, reader, options->symbols);
    if (error == 0)
        error = open_building(&building);
    if (error == 0)
        error = add_whole_stacks(&building);
    int64_t longest = error < 0 ? error : move_tallies(&building);
    error = longest < 0 ? (int)longest : install(&building, (uint32_t)longest);
    close_building(&building);
    native_frames_close(&building.frames);
    return error;
}
