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

/* Set in keys that are nodes of Python stacks, never in those of unwind entries. */
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
    merge->innermost = NATIVE_NO_PYTHON;
    memset(&merge->suffixes, 0, sizeof merge->suffixes);
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

/* The node of `parent` with the Python frames [first, end) inside it. */
static uint32_t add_python(struct native_merge *merge, uint32_t parent, uint32_t first,
                           uint32_t end, const struct python_frame *frames) {
    for (uint32_t i = first; i < end; i++) {
        struct native_python *entry = merge->python + i;
        uint32_t node = frames[i].node;
        if (entry->node != node || entry->parent != parent) {
            bool shown = node != frames[i].parent;
            entry->merged = shown ? node_of(parent, python_key | node) : parent;
            entry->node = node;
            entry->parent = parent;
        }
        entry->address = frames[i].address;
        parent = entry->merged;
    }
    return parent;
}

/* Whether the entry is an instruction of the interpreter that is a function of its own:
 * the evaluation calls it. */
static bool is_instruction(const struct native_stack *native, uint32_t at) {
    const struct native_frame *below = native->frames + at - 1;
    return at > 0 && below->first != NATIVE_NO_PYTHON &&
           (below->flags & NATIVE_TAIL_CALLS) != 0 &&
           below->key >> NATIVE_MODULE_SHIFT == below[1].key >> NATIVE_MODULE_SHIFT;
}

/* The Python frames outside all native frames. */
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

/* Sets the nodes of the entries from `outermost` inwards. */
static void add_frames(struct native_merge *merge, uint32_t outermost,
                       const struct python_frame *frames) {
    struct native_stack *native = &merge->native;
    struct native_frame prefix;
    const struct native_frame *below = native->frames + outermost - 1;
    if (outermost == 0) {
        prefix = prefix_of(merge, frames);
        below = &prefix;
    }
    for (uint32_t i = outermost; i < native->depth; i++) {
        add_frame(merge, i, below, frames);
        below = native->frames + i;
    }
    native->outermost_shown = native_stack_outermost_shown(native, native->depth);
}

/* --- what changed ----------------------------------------------------------------- */

/* Never NULL afterwards, with no Python frame either. */
static always_inline bool reserve(struct native_merge *merge, uint32_t depth) {
    return likely(depth < merge->python_capacity) ||
           arena_array_reserve(&merge->python, &merge->python_capacity,
                               (uint64_t)depth + 1, sizeof *merge->python) == 0;
}

/* The outermost Python frame that changed. Equal nodes mean equal stacks up to there,
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

/* The outermost Python frame that changed, if no evaluation has begun or ended since;
 * -1 where that is not sure. */
static always_inline int64_t changed_in_innermost(const struct native_merge *merge,
                                                  const struct native_registers *leaf,
                                                  const struct python_frame *frames,
                                                  uint32_t depth) {
    uint32_t at = find_change(merge, frames, depth), begin = at;
    if (at < merge->innermost_first || depth <= merge->innermost_first)
        return -1;
    /* The same frame at another instruction. */
    if (at < depth && at < merge->python_depth &&
        merge->python[at].address == frames[at].address)
        begin++;
    else if (at == merge->innermost_first)
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

/* Updates the innermost evaluation if Python frames from `at` inwards changed. */
static void follow_python(struct native_merge *merge, uint32_t at,
                          const struct python_frame *frames, uint32_t depth) {
    struct native_stack *native = &merge->native;
    struct native_frame *top = &native->frames[merge->innermost];
    uint32_t parent =
        at > merge->innermost_first ? merge->python[at - 1].merged : top[-1].node;
    top->node = add_python(merge, parent, at, depth, frames);
    top->first = merge->innermost_first;
    top->end = depth;
    top->natives = top[-1].natives;
    merge->python_depth = depth;
}

/* --- the whole stack -------------------------------------------------------------- */

/* The outermost entry that needs another assignment if native entries from `changed`
 * and Python frames from `first` inwards changed. */
static uint32_t outermost_affected(const struct native_stack *native, uint32_t changed,
                                   uint32_t first) {
    uint32_t at = native_boundary_outer(native, native->depth, first);
    if (at == native->depth)
        return 0;
    return at < changed ? at : changed;
}

/* The `rest` of the Python frames belongs to the next outer evaluation, whose end may
 * have changed. Returns the outermost entry that has. */
static uint32_t assign_rest(struct native_merge *merge, uint32_t outermost,
                            uint32_t rest) {
    struct native_stack *native = &merge->native;
    uint32_t at = native_boundary_outer(native, outermost, UINT32_MAX - 1);
    if (at == outermost) {
        bool is_same = merge->prefix == rest;
        merge->prefix = rest;
        return is_same ? outermost : 0;
    }
    if (native->frames[at].end == rest)
        return outermost;
    native->frames[at].end = rest;
    return at;
}

/* Caches the frames inside the innermost evaluation. */
static void note_suffix(struct native_merge *merge) {
    const struct native_stack *native = &merge->native;
    if (unlikely(!native->window.own))
        return;
    const struct native_frame *top = native->frames + merge->innermost;
    struct native_suffix *suffix =
        native_suffix_note(&merge->suffixes, native, merge->innermost - 1);
    for (uint32_t i = 0; suffix != NULL && i < suffix->count; i++)
        if (i == 0 || top[i].node == top[i - 1].node)
            suffix->keys[i] = 0;
}

static void note_innermost(struct native_merge *merge) {
    const struct native_stack *native = &merge->native;
    uint32_t top = native_boundary_outer(native, native->depth, UINT32_MAX - 1);
    merge->innermost = NATIVE_NO_PYTHON;
    if (top == native->depth || top == 0 || !native->window.own)
        return;
    merge->word_count =
        native_stack_words(native, native_stack_outermost_shown(native, top + 1), top,
                           merge->words, NATIVE_MERGE_WORDS);
    if (merge->word_count > NATIVE_MERGE_WORDS)
        return;
    merge->innermost = top;
    merge->innermost_first = native->frames[top].first;
    merge->innermost_node = native->frames[top].node;
    merge->innermost_flags = native->frames[top].flags;
    merge->innermost_at = native->slots[top].at;
    note_suffix(merge);
}

static void reassign(struct native_merge *merge, uint32_t changed,
                     const struct python_frame *frames, uint32_t depth,
                     const char *tstate) {
    struct native_stack *native = &merge->native;
    uint32_t first = find_change(merge, frames, depth), outermost = changed;
    if (first != depth || depth != merge->python_depth)
        outermost = outermost_affected(native, changed, first);
    if (merge->innermost < outermost &&
        native->frames[merge->innermost].node != merge->innermost_node)
        outermost = merge->innermost;
    native->max_native = rules.max_native;
    uint32_t rest = native_boundary_assign(native, outermost, frames, depth, tstate);
    add_frames(merge, assign_rest(merge, outermost, rest), frames);
    merge->python_depth = depth;
    note_innermost(merge);
}

/* Whether the innermost evaluation is unchanged, though it may call from elsewhere
 * in its code. */
static bool innermost_is_unchanged(const struct native_merge *merge, uint32_t changed) {
    const struct native_stack *native = &merge->native;
    return merge->innermost != NATIVE_NO_PYTHON && changed >= merge->innermost &&
           native->depth > merge->innermost &&
           native->slots[merge->innermost].at == merge->innermost_at &&
           native->frames[merge->innermost].flags == merge->innermost_flags;
}

static uint32_t find_slow_path(struct native_merge *merge,
                               const struct native_registers *leaf,
                               const struct python_frame *frames, uint32_t depth,
                               const char *tstate) {
    struct native_stack *native = &merge->native;
    uint32_t changed = native_stack_walk(native, leaf);
    merge->broken = native->broken && changed < native->depth;
    if (unlikely(native->depth == 0 || !reserve(merge, depth)))
        return depth > 0 ? frames[depth - 1].node : 0;
    int64_t at = innermost_is_unchanged(merge, changed)
                     ? changed_in_innermost(merge, leaf, frames, depth)
                     : -1;
    if (at >= 0) {
        follow_python(merge, (uint32_t)at, frames, depth);
        uint32_t node = native->frames[merge->innermost].node;
        bool is_same = node == merge->innermost_node && changed > merge->innermost;
        add_frames(merge, is_same ? changed : merge->innermost + 1, frames);
        merge->innermost_node = node;
        note_suffix(merge);
    } else
        reassign(merge, changed, frames, depth, tstate);
    return native->frames[native->depth - 1].node;
}

/* --- inside the same evaluation --------------------------------------------------- */

static always_inline uint32_t node_with_suffix(struct native_suffix *suffix,
                                               uint32_t parent) {
    uint32_t place = parent % NATIVE_SUFFIX_RESULTS, node = parent;
    if (likely(suffix->results[place].parent == parent))
        return suffix->results[place].node;
    for (uint32_t i = 0; i < suffix->count; i++)
        if (suffix->keys[i] != 0)
            node = node_of(node, suffix->keys[i]);
    suffix->results[place].node = node;
    suffix->results[place].parent = parent;
    return node;
}

/* False if anything but the frames inside the innermost evaluation, or
 * its Python frames, may have changed. */
static always_inline bool find_fast_path(struct native_merge *merge,
                                         const struct native_registers *leaf,
                                         const struct python_frame *frames,
                                         uint32_t depth, uint32_t *node) {
    const struct native_stack *native = &merge->native;
    if (unlikely(merge->innermost == NATIVE_NO_PYTHON ||
                 depth > merge->python_capacity || native->epoch != unwind_table.epoch))
        return false;
    struct native_suffix *suffix =
        native_suffix_find(&merge->suffixes, leaf, native, merge->innermost - 1);
    if (unlikely(suffix == NULL || !native_slots_are_unchanged(
                                       merge->words, merge->words + merge->word_count)))
        return false;
    int64_t at = changed_in_innermost(merge, leaf, frames, depth);
    if (unlikely(at < 0))
        return false;
    if (at != depth || depth != merge->python_depth)
        follow_python(merge, (uint32_t)at, frames, depth);
    *node = node_with_suffix(suffix, native->frames[merge->innermost].node);
    return true;
}

uint32_t native_merge_find(struct native_merge *merge,
                           const struct native_registers *leaf,
                           const struct python_stack *python, const char *tstate) {
    uint32_t depth = python != NULL ? python->depth : 0, node;
    const struct python_frame *frames = python != NULL ? python->frames : NULL;
    merge->broken = merge->cramped = false;
    if (likely(find_fast_path(merge, leaf, frames, depth, &node)))
        return node;
    if (unlikely(!native_window_has_room(&merge->native.window, leaf->sp,
                                         NATIVE_WINDOW_ROOM))) {
        merge->cramped = true;
        return depth > 0 ? frames[depth - 1].node : 0;
    }
    return find_slow_path(merge, leaf, frames, depth, tstate);
}
