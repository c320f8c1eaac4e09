/* SPDX-License-Identifier: MIT */
#include "symbols/shown_stacks.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "collection/array.h"
#include "collection/id_map.h"
#include "symbols/interpreter_modules.h"
#include "symbols/native_frames.h"

enum { FIXED_STACKS = 2, NO_LIMIT = MAX_NFRAME };

/* Stacks are never cut to fewer frames. */
enum { MIN_CUT = 64 };

/* Bounds the time and memory that a small damaged file can cost. */
static const uint64_t max_frames = (uint64_t)1 << 22;
static const uint64_t max_steps = (uint64_t)1 << 28;
static const size_t max_nodes = (size_t)1 << 26;

/* Frames of each kind in a stack. */
struct depth {
    uint32_t python;
    uint32_t native;
};

/* The part of a stack that has been rebuilt, from the root inwards. */
struct progress {
    uint32_t node;   /* in the new tree */
    uint32_t python; /* new node of the innermost Python frame; 0 if there is none */
    uint32_t run;    /* pending frames of the interpreter: module + 1; 0 if none */
    bool outermost;  /* so far only frames of libc, which starts threads and main() */
};

struct building {
    struct dump_reader *reader;
    const struct shown_stacks_options *options;
    struct native_frames frames;
    enum module_kind *kinds; /* by module */
    struct array nodes;      /* struct tracemalloc_dump_stack: the new tree */
    struct array lengths;    /* uint32_t, by new node: frames from the root */
    struct id_map ids;       /* of new nodes, by parent, code and line */
    bool *wanted;            /* by stack: whether it or a callee is shown */
    struct progress *whole;  /* by stack: rebuilt without cutting */
    uint32_t *owners;        /* by stack: its innermost Python frame, or 0 */
    uint32_t *natives;       /* by stack: its innermost native frame, or 0 */
    uint32_t *cut;           /* by stack: the new node after cutting, or 0 */
    uint32_t *details;       /* by site: the new node of its detail, or 0 */
    struct depth *depths;    /* by stack */
    struct depth limits;
    uint32_t *picked; /* the frames shown of one stack, most recent first */
    uint64_t steps;   /* frames visited, bounded by max_steps */
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
    if (building->nodes.count == max_nodes)
        return -EFBIG;
    if (array_append(&building->nodes, node, 1) < 0 ||
        array_append(&building->lengths, &length, 1) < 0)
        return -ENOMEM;
    return 0;
}

/* Returns the child of a new node with this frame, which is added if it is new; or
 * -errno. */
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

static int64_t add_list(struct building *building, uint32_t parent,
                        const struct native_frame_list *list) {
    int64_t at = parent;
    for (size_t i = 0; i < list->count && at >= 0; i++)
        at = add_node(building, (uint32_t)at, list->frames[i].code,
                      list->frames[i].line);
    return at;
}

static uint32_t module_of(const struct tracemalloc_dump_stack *node) {
    return node->code & ~TRACEMALLOC_DUMP_NATIVE;
}

static int64_t add_native(struct building *building, uint32_t parent,
                          const struct tracemalloc_dump_stack *node) {
    struct native_frame_list list;
    int error = native_frames_find(&building->frames, module_of(node),
                                   (uint64_t)node->high << 32 | node->line, &list);
    return error < 0 ? error : add_list(building, parent, &list);
}

static int64_t add_folded(struct building *building, uint32_t parent, uint32_t module) {
    struct native_frame_list list;
    int error = native_frames_interpreter(&building->frames, module, &list);
    return error < 0 ? error : add_list(building, parent, &list);
}

/* Adds pending frames of the interpreter. Returns the new node of a stack that ends
 * here, or -errno. */
static int64_t end_of(struct building *building, const struct progress *progress) {
    if (progress->run == 0)
        return progress->node;
    return add_folded(building, progress->node, progress->run - 1);
}

static int64_t step_native(struct building *building, struct progress *progress,
                           const struct tracemalloc_dump_stack *node) {
    enum module_kind kind = building->kinds[module_of(node)];
    bool all = building->options->native == SHOWN_NATIVE_ALL;
    bool begins = progress->python == 0 && kind == MODULE_LIBC && !all;
    if (kind == MODULE_INTERPRETER && !all) {
        if (progress->outermost)
            progress->node = TRACEMALLOC_DUMP_EMPTY_STACK;
        progress->run = module_of(node) + 1;
        return progress->node;
    }
    if (begins && progress->run > 0)
        return progress->node;
    int64_t at = end_of(building, progress);
    if (at >= 0)
        at = add_native(building, (uint32_t)at, node);
    progress->run = 0;
    progress->outermost &= begins;
    return at;
}

/* Adds the next frame inwards. */
static int step(struct building *building, struct progress *progress,
                const struct tracemalloc_dump_stack *node) {
    enum shown_native native = building->options->native;
    bool skips = native == SHOWN_NATIVE_NONE ||
                 (native == SHOWN_NATIVE_BY_OWNER && progress->python != 0);
    int64_t at = progress->node;
    if (is_native(node)) {
        at = skips ? at : step_native(building, progress, node);
    } else {
        uint32_t parent =
            native == SHOWN_NATIVE_BY_OWNER ? progress->python : progress->node;
        at = add_node(building, parent, node->code, node->line);
        *progress = (struct progress){.python = at < 0 ? 0 : (uint32_t)at};
    }
    progress->node = at < 0 ? 0 : (uint32_t)at;
    return at < 0 ? (int)at : 0;
}

/* Marks the stacks of the sites shown, and their callers. By owner, native frames
 * inside a Python frame are not shown. */
static void find_wanted(struct building *building) {
    const struct dump_reader *reader = building->reader;
    const bool *wanted = building->options->wanted;
    bool by_owner = building->options->native == SHOWN_NATIVE_BY_OWNER;
    if (wanted == NULL && !by_owner)
        memset(building->wanted, true, reader->stack_count);
    for (size_t i = 0; i < reader->site_count; i++) {
        uint32_t stack = reader->sites[i].stack;
        if (wanted != NULL && !wanted[i])
            continue;
        if (by_owner && building->owners[stack] != 0)
            stack = building->owners[stack];
        for (; stack >= FIXED_STACKS && !building->wanted[stack];
             stack = reader->stacks[stack].parent)
            building->wanted[stack] = true;
    }
}

/* Parents come before their children. */
static void measure_stacks(struct building *building) {
    const struct dump_reader *reader = building->reader;
    for (uint32_t id = FIXED_STACKS; id < reader->stack_count; id++) {
        const struct tracemalloc_dump_stack *node = &reader->stacks[id];
        building->depths[id] = building->depths[node->parent];
        building->depths[id].python += !is_native(node);
        building->depths[id].native += is_native(node);
        building->owners[id] = is_native(node) ? building->owners[node->parent] : id;
        building->natives[id] = is_native(node) ? id : building->natives[node->parent];
    }
}

static int add_whole_stacks(struct building *building) {
    const struct dump_reader *reader = building->reader;
    int error = 0;
    building->whole[TRACEMALLOC_DUMP_EMPTY_STACK].outermost = true;
    building->whole[TRACEMALLOC_DUMP_OVERFLOW_STACK] = (struct progress){
        .node = TRACEMALLOC_DUMP_OVERFLOW_STACK,
        .python = TRACEMALLOC_DUMP_OVERFLOW_STACK,
    };
    for (uint32_t id = FIXED_STACKS; id < reader->stack_count && error == 0; id++) {
        const struct tracemalloc_dump_stack *node = &reader->stacks[id];
        building->whole[id] = building->whole[node->parent];
        if (building->wanted[id])
            error = step(building, &building->whole[id], node);
    }
    return error;
}

static bool fits(const struct building *building, uint32_t stack) {
    struct depth depth = building->depths[stack], limits = building->limits;
    enum shown_native native = building->options->native;
    if (building->options->whole || native == SHOWN_NATIVE_NONE ||
        native == SHOWN_NATIVE_BY_OWNER)
        return true;
    return depth.python <= limits.python && depth.native <= limits.native;
}

static uint32_t min(uint32_t first, uint32_t second) {
    return first < second ? first : second;
}

/* Counts the frames of all stacks within the limits; 0 if no stack exceeds them. */
static uint64_t count_frames(const struct building *building) {
    const struct dump_reader *reader = building->reader;
    uint64_t count = 0;
    bool fit = true;
    for (size_t i = 0; i < reader->site_count; i++) {
        uint32_t stack = reader->sites[i].stack;
        struct depth depth = building->depths[stack];
        if (!building->wanted[stack])
            continue;
        count += min(depth.python, building->limits.python) +
                 min(depth.native, building->limits.native);
        fit &= fits(building, stack);
    }
    return fit ? 0 : count;
}

static uint32_t lowered(uint32_t limit, uint64_t count) {
    uint32_t share = (uint32_t)(limit * max_frames / count);
    return min(limit, share > MIN_CUT ? share : MIN_CUT);
}

/* If there are too many frames in all, lowers the limits of all stacks. */
static void lower_limits(struct building *building) {
    uint64_t count = count_frames(building);
    struct depth *limits = &building->limits;
    if (count <= max_frames)
        return;
    uint32_t python = lowered(limits->python, count),
             native = lowered(limits->native, count);
    if (python < limits->python || native < limits->native)
        building->reader->cut_frames = python;
    *limits = (struct depth){python, native};
}

/* Picks the frames shown of a stack. Returns how many there are. */
static uint32_t pick(struct building *building, uint32_t stack) {
    const struct tracemalloc_dump_stack *stacks = building->reader->stacks;
    struct depth left = building->limits;
    uint32_t count = 0;
    for (;;) {
        if (left.python == 0)
            stack = building->natives[stack];
        else if (left.native == 0)
            stack = building->owners[stack];
        if (stack == TRACEMALLOC_DUMP_EMPTY_STACK || left.python + left.native == 0)
            return count;
        building->picked[count++] = stack;
        *(is_native(&stacks[stack]) ? &left.native : &left.python) -= 1;
        stack = stacks[stack].parent;
    }
}

static int64_t cut_stack(struct building *building, uint32_t stack) {
    const struct tracemalloc_dump_stack *stacks = building->reader->stacks;
    struct progress progress = {0};
    int error = 0;
    for (uint32_t left = pick(building, stack); left > 0 && error == 0; left--)
        error = step(building, &progress, &stacks[building->picked[left - 1]]);
    return error < 0 ? error : end_of(building, &progress);
}

/* Returns the new node of a stack, or -errno. */
static int64_t shown_stack(struct building *building, uint32_t stack) {
    if (fits(building, stack))
        return end_of(building, &building->whole[stack]);
    if (building->cut[stack] == 0) {
        int64_t shown = cut_stack(building, stack);
        if (shown < 0)
            return shown;
        building->cut[stack] = (uint32_t)shown;
    }
    return building->cut[stack];
}

/* Adds the innermost native frame inside a block's owner as a child of the owner's
 * node; a frame of the interpreter only if there is no other. Returns its new node, 0
 * if there are no native frames, or -errno. */
static int64_t find_detail(struct building *building, uint32_t stack, uint32_t owner,
                           uint32_t shown) {
    const struct tracemalloc_dump_stack *stacks = building->reader->stacks;
    uint32_t interpreter = 0;
    for (; stack != owner; stack = stacks[stack].parent) {
        if (building->kinds[module_of(&stacks[stack])] != MODULE_INTERPRETER)
            return add_native(building, shown, &stacks[stack]);
        interpreter = module_of(&stacks[stack]) + 1;
        if (++building->steps > max_steps)
            return -EFBIG;
    }
    return interpreter == 0 ? 0 : add_folded(building, shown, interpreter - 1);
}

static int64_t move_site(struct building *building, size_t number) {
    struct tracemalloc_dump_site *site =
        (struct tracemalloc_dump_site *)&building->reader->sites[number];
    const bool *wanted = building->options->wanted;
    uint32_t stack = site->stack, owner = building->owners[stack];
    bool owned = building->options->native == SHOWN_NATIVE_BY_OWNER && owner != 0;
    site->stack = TRACEMALLOC_DUMP_EMPTY_STACK;
    if (wanted != NULL && !wanted[number])
        return site->stack;
    int64_t shown = shown_stack(building, owned ? owner : stack), detail = 0;
    if (shown >= 0 && owned)
        detail = find_detail(building, stack, owner, (uint32_t)shown);
    if (shown < 0 || detail < 0)
        return shown < 0 ? shown : detail;
    site->stack = (uint32_t)shown;
    building->details[number] = (uint32_t)detail;
    return shown;
}

/* Moves all sites to the new tree. Returns the length of their longest stack, or
 * -errno. */
static int64_t move_sites(struct building *building) {
    uint32_t longest = 1;
    for (size_t i = 0; i < building->reader->site_count; i++) {
        int64_t shown = move_site(building, i);
        if (shown < 0)
            return shown;
        const uint32_t *lengths = building->lengths.entries;
        longest = lengths[shown] > longest ? lengths[shown] : longest;
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
    building->kinds = interpreter_modules_find(reader);
    building->wanted = calloc(count, sizeof *building->wanted);
    building->whole = calloc(count, sizeof *building->whole);
    building->cut = calloc(count, sizeof *building->cut);
    building->owners = calloc(count, sizeof *building->owners);
    building->natives = calloc(count, sizeof *building->natives);
    building->depths = calloc(count, sizeof *building->depths);
    building->details = calloc(reader->site_count + 1, sizeof *building->details);
    building->picked = calloc(building->limits.python + building->limits.native,
                              sizeof *building->picked);
    if (building->kinds == NULL || building->wanted == NULL ||
        building->whole == NULL || building->cut == NULL || building->owners == NULL ||
        building->natives == NULL || building->depths == NULL ||
        building->details == NULL || building->picked == NULL)
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
    free(building->kinds);
    free(building->wanted);
    free(building->whole);
    free(building->cut);
    free(building->owners);
    free(building->natives);
    free(building->depths);
    free(building->details);
    free(building->picked);
}

static int install(struct building *building, uint32_t longest) {
    struct dump_reader *reader = building->reader;
    const struct shown_stacks_options *options = building->options;
    free((void *)reader->stacks);
    reader->stacks = building->nodes.entries;
    reader->stack_count = building->nodes.count;
    building->nodes.entries = NULL;
    if (!options->whole && options->native != SHOWN_NATIVE_NONE &&
        options->native != SHOWN_NATIVE_BY_OWNER)
        reader->header.nframe = longest;
    if (options->native == SHOWN_NATIVE_BY_OWNER) {
        reader->details = building->details;
        building->details = NULL;
    }
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
    if (error == 0) {
        measure_stacks(&building);
        find_wanted(&building);
        lower_limits(&building);
        error = add_whole_stacks(&building);
    }
    int64_t longest = error < 0 ? error : move_sites(&building);
    error = longest < 0 ? (int)longest : install(&building, (uint32_t)longest);
    close_building(&building);
    native_frames_close(&building.frames);
    return error;
}
