/* SPDX-License-Identifier: MIT */
#include "stack/native/native_merge.h"

#include <string.h>

#include "base/arena.h"
#include "base/arena_array.h"
#include "stack/native/native_boundary.h"
#include "stack/native/native_cache.h"

static struct {
    uint32_t generation;
    uint32_t max_native;
    const struct native_merge_sink *sink;
} rules;

/* Marks the keys that are nodes of Python stacks; those of native entries are below. */
static const uint64_t python_key = (uint64_t)1 << 63;

void native_merge_forget(void) {
    native_cache_open();
    rules.generation++;
}

void native_merge_open(const struct native_merge_sink *sink,
                       const struct python_layout *layout, uint32_t max_native) {
    native_merge_forget();
    rules.sink = sink;
    rules.max_native = max_native;
    if (layout != NULL)
        native_boundary_open(layout);
}

void native_merge_close(void) {
    native_cache_close();
}

void native_merge_refresh(struct native_merge *merge) {
    if (likely(merge->generation == rules.generation))
        return;
    merge->generation = rules.generation;
    merge->python_depth = merge->prefix = 0;
    merge->top = NATIVE_NO_PYTHON;
    memset(&merge->tails, 0, sizeof merge->tails);
    if (merge->python != NULL)
        memset(merge->python, 0, merge->python_capacity * sizeof *merge->python);
    native_stack_forget(&merge->native);
}

void native_merge_release(struct native_merge *merge) {
    if (merge == NULL)
        return;
    native_stack_release(&merge->native);
    arena_array_release(&merge->python, &merge->python_capacity, sizeof *merge->python);
    arena_unmap(merge, sizeof *merge);
}

/* --- nodes ------------------------------------------------------------------------ */

static cold_path uint32_t make_node(uint32_t parent, uint64_t key) {
    uint64_t address = key & (((uint64_t)1 << NATIVE_MODULE_SHIFT) - 1);
    uint32_t module = (uint32_t)(key >> NATIVE_MODULE_SHIFT);
    uint32_t node = (key & python_key) != 0
                        ? rules.sink->python(parent, (uint32_t)key)
                        : rules.sink->native(parent, module, address);
    native_cache_add(parent, key, node);
    return node;
}

static always_inline uint32_t node_of(uint32_t parent, uint64_t key) {
    uint32_t node = native_cache_find(parent, key);
    return likely(node != 0) ? node : make_node(parent, key);
}

/* The node of the Python frames [first, end) above `parent`. */
static uint32_t add_python(struct native_merge *merge, uint32_t parent, uint32_t first,
                           uint32_t end, const struct python_frame *frames) {
    for (uint32_t at = first; at < end; at++) {
        struct native_python *entry = merge->python + at;
        uint32_t node = frames[at].node;
        if (entry->node != node || entry->parent != parent) {
            bool shown = node != frames[at].parent;
            entry->merged = shown ? node_of(parent, python_key | node) : parent;
            entry->node = node;
            entry->parent = parent;
        }
        entry->address = frames[at].address;
        parent = entry->merged;
    }
    return parent;
}

/* Where instructions are functions, the one that runs is called by the evaluation. */
static bool is_instruction(const struct native_stack *native, uint32_t at) {
    const struct native_frame *below = native->frames + at - 1;
    return at > 0 && below->first != NATIVE_NO_PYTHON &&
           (below->flags & NATIVE_TAIL_CALLS) != 0 &&
           below->key >> NATIVE_MODULE_SHIFT == below[1].key >> NATIVE_MODULE_SHIFT;
}

/* What is below all native frames. */
static struct native_frame prefix_of(struct native_merge *merge,
                                     const struct python_frame *frames) {
    return (struct native_frame){
        .node = add_python(merge, 0, 0, merge->prefix, frames),
    };
}

static void add_frame(struct native_merge *merge, uint32_t at,
                      const struct native_frame *below,
                      const struct python_frame *frames) {
    struct native_frame *frame = merge->native.frames + at;
    bool hidden = (frame->flags & (NATIVE_HIDDEN | NATIVE_EVALUATES)) != 0;
    frame->node = below->node;
    frame->natives = below->natives;
    if (frame->first != NATIVE_NO_PYTHON) {
        frame->node = add_python(merge, below->node, frame->first, frame->end, frames);
    } else if (!hidden && !is_instruction(&merge->native, at)) {
        frame->node = node_of(below->node, frame->key);
        frame->natives++;
    }
}

/* Sets the nodes of the entries from `lowest` on. */
static void add_all(struct native_merge *merge, uint32_t lowest,
                    const struct python_frame *frames) {
    struct native_stack *native = &merge->native;
    struct native_frame prefix;
    const struct native_frame *below = native->frames + lowest - 1;
    if (lowest == 0) {
        prefix = prefix_of(merge, frames);
        below = &prefix;
    }
    for (uint32_t at = lowest; at < native->depth; at++) {
        add_frame(merge, at, below, frames);
        below = native->frames + at;
    }
    native->lowest = native_stack_lowest(native, native->depth);
}

/* --- what changed ----------------------------------------------------------------- */

/* Never NULL afterwards, with no Python frame either. */
static always_inline bool reserve(struct native_merge *merge, uint32_t depth) {
    return likely(depth < merge->python_capacity) ||
           arena_array_reserve(&merge->python, &merge->python_capacity,
                               (uint64_t)depth + 1, sizeof *merge->python) == 0;
}

/* The lowest Python frame that is not as it was. Equal nodes mean equal stacks below,
 * but not equal frames: a frame's place among the evaluations shows in its address. */
static always_inline uint32_t find_change(const struct native_merge *merge,
                                          const struct python_frame *frames,
                                          uint32_t depth) {
    uint32_t at = depth < merge->python_depth ? depth : merge->python_depth;
    while (at > 0 && (merge->python[at - 1].node != frames[at - 1].node ||
                      merge->python[at - 1].address != frames[at - 1].address))
        at--;
    return at;
}

/* The lowest Python frame that changed, where no evaluation has begun or ended since;
 * -1 where that is not sure. */
static always_inline int64_t changed_in_top(const struct native_merge *merge,
                                            const struct native_registers *leaf,
                                            const struct python_frame *frames,
                                            uint32_t depth) {
    uint32_t at = find_change(merge, frames, depth), begin = at;
    if (at < merge->top_first || depth <= merge->top_first)
        return -1;
    /* The same frame at another instruction. */
    if (at < depth && at < merge->python_depth &&
        merge->python[at].address == frames[at].address)
        begin++;
    else if (at == merge->top_first)
        return -1;
    if (native_boundary.by < NATIVE_BOUNDARY_CFRAME_ENTRY &&
        depth != merge->python_depth)
        return -1;
    uintptr_t high = native_stack_pointer(&merge->native, 0);
    for (uint32_t above = begin; above < depth; above++)
        if (native_boundary_begins(frames[above].address, leaf->sp, high))
            return -1;
    return at;
}

/* Brings the top up to date with the Python frames that changed from `at` on. */
static void follow_python(struct native_merge *merge, uint32_t at,
                          const struct python_frame *frames, uint32_t depth) {
    struct native_stack *native = &merge->native;
    struct native_frame *top = &native->frames[merge->top];
    uint32_t parent =
        at > merge->top_first ? merge->python[at - 1].merged : top[-1].node;
    top->node = add_python(merge, parent, at, depth, frames);
    top->first = merge->top_first;
    top->end = depth;
    top->natives = top[-1].natives;
    merge->python_depth = depth;
}

/* --- the whole stack -------------------------------------------------------------- */

/* The entry that has to be looked at again where Python frames changed from `first`
 * on. */
static uint32_t lowest_affected(const struct native_stack *native, uint32_t changed,
                                uint32_t first) {
    uint32_t at = native_boundary_outer(native, native->depth, first);
    if (at == native->depth)
        return 0;
    return at < changed ? at : changed;
}

/* What is left belongs to the evaluation below, whose end may be another one now.
 * Returns the entry to begin with. */
static uint32_t give_rest(struct native_merge *merge, uint32_t lowest, uint32_t rest) {
    struct native_stack *native = &merge->native;
    uint32_t at = native_boundary_outer(native, lowest, UINT32_MAX - 1);
    if (at == lowest) {
        bool same = merge->prefix == rest;
        merge->prefix = rest;
        return same ? lowest : 0;
    }
    if (native->frames[at].end == rest)
        return lowest;
    native->frames[at].end = rest;
    return at;
}

/* What native_suffix is about lies above the innermost evaluation. */
static void note_tail(struct native_merge *merge) {
    const struct native_stack *native = &merge->native;
    if (unlikely(!native->window.own))
        return;
    const struct native_frame *top = native->frames + merge->top;
    struct native_suffix *tail =
        native_suffix_note(&merge->tails, native, merge->top - 1);
    for (uint32_t at = 0; tail != NULL && at < tail->count; at++)
        if (at == 0 || top[at].node == top[at - 1].node)
            tail->keys[at] = 0;
}

static void note_top(struct native_merge *merge) {
    const struct native_stack *native = &merge->native;
    uint32_t top = native_boundary_outer(native, native->depth, UINT32_MAX - 1);
    merge->top = NATIVE_NO_PYTHON;
    if (top == native->depth || top == 0 || !native->window.own)
        return;
    merge->word_count = native_stack_words(native, native_stack_lowest(native, top + 1),
                                           top, merge->words, NATIVE_MERGE_WORDS);
    if (merge->word_count > NATIVE_MERGE_WORDS)
        return;
    merge->top = top;
    merge->top_first = native->frames[top].first;
    merge->top_node = native->frames[top].node;
    merge->top_flags = native->frames[top].flags;
    merge->top_at = native->slots[top].at;
    note_tail(merge);
}

static void look_again(struct native_merge *merge, uint32_t changed,
                       const struct python_frame *frames, uint32_t depth,
                       const char *tstate) {
    struct native_stack *native = &merge->native;
    uint32_t first = find_change(merge, frames, depth), lowest = changed;
    if (first != depth || depth != merge->python_depth)
        lowest = lowest_affected(native, changed, first);
    if (merge->top < lowest && native->frames[merge->top].node != merge->top_node)
        lowest = merge->top;
    native->max_native = rules.max_native;
    uint32_t rest = native_boundary_assign(native, lowest, frames, depth, tstate);
    add_all(merge, give_rest(merge, lowest, rest), frames);
    merge->python_depth = depth;
    note_top(merge);
}

/* Whether the innermost evaluation is the one it was, though it may call from elsewhere
 * in its code. */
static bool top_stays(const struct native_merge *merge, uint32_t changed) {
    const struct native_stack *native = &merge->native;
    return merge->top != NATIVE_NO_PYTHON && changed >= merge->top &&
           native->depth > merge->top &&
           native->slots[merge->top].at == merge->top_at &&
           native->frames[merge->top].flags == merge->top_flags;
}

static uint32_t find_slowly(struct native_merge *merge,
                            const struct native_registers *leaf,
                            const struct python_frame *frames, uint32_t depth,
                            const char *tstate) {
    struct native_stack *native = &merge->native;
    uint32_t changed = native_stack_walk(native, leaf);
    merge->broken = native->broken && changed < native->depth;
    if (unlikely(native->depth == 0 || !reserve(merge, depth)))
        return depth > 0 ? frames[depth - 1].node : 0;
    int64_t at =
        top_stays(merge, changed) ? changed_in_top(merge, leaf, frames, depth) : -1;
    if (at >= 0) {
        follow_python(merge, (uint32_t)at, frames, depth);
        uint32_t node = native->frames[merge->top].node;
        bool same = node == merge->top_node && changed > merge->top;
        add_all(merge, same ? changed : merge->top + 1, frames);
        merge->top_node = node;
        note_tail(merge);
    } else
        look_again(merge, changed, frames, depth, tstate);
    return native->frames[native->depth - 1].node;
}

/* --- above the same evaluation ---------------------------------------------------- */

static always_inline uint32_t node_above(struct native_suffix *tail, uint32_t parent) {
    uint32_t place = parent % NATIVE_SUFFIX_RESULTS, node = parent;
    if (likely(tail->results[place].parent == parent))
        return tail->results[place].node;
    for (uint32_t at = 0; at < tail->count; at++)
        if (tail->keys[at] != 0)
            node = node_of(node, tail->keys[at]);
    tail->results[place].node = node;
    tail->results[place].parent = parent;
    return node;
}

/* False when anything else than the way from the innermost evaluation to the leaf, or
 * its Python frames, may have changed. */
static always_inline bool find_quickly(struct native_merge *merge,
                                       const struct native_registers *leaf,
                                       const struct python_frame *frames,
                                       uint32_t depth, uint32_t *node) {
    const struct native_stack *native = &merge->native;
    if (unlikely(merge->top == NATIVE_NO_PYTHON || depth > merge->python_capacity ||
                 native->epoch != unwind_table.epoch))
        return false;
    struct native_suffix *tail =
        native_suffix_find(&merge->tails, leaf, native, merge->top - 1);
    if (unlikely(tail == NULL ||
                 !native_slots_hold(merge->words, merge->words + merge->word_count)))
        return false;
    int64_t at = changed_in_top(merge, leaf, frames, depth);
    if (unlikely(at < 0))
        return false;
    if (at != depth || depth != merge->python_depth)
        follow_python(merge, (uint32_t)at, frames, depth);
    *node = node_above(tail, native->frames[merge->top].node);
    return true;
}

uint32_t native_merge_find(struct native_merge *merge,
                           const struct native_registers *leaf,
                           const struct python_stack *python, const char *tstate) {
    uint32_t depth = python != NULL ? python->depth : 0, node;
    const struct python_frame *frames = python != NULL ? python->frames : NULL;
    merge->broken = merge->cramped = false;
    if (likely(find_quickly(merge, leaf, frames, depth, &node)))
        return node;
    if (unlikely(!native_window_has_room(&merge->native.window, leaf->sp,
                                         NATIVE_WINDOW_ROOM))) {
        merge->cramped = true;
        return depth > 0 ? frames[depth - 1].node : 0;
    }
    return find_slowly(merge, leaf, frames, depth, tstate);
}
