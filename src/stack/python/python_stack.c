/* SPDX-License-Identifier: MIT */
#include "stack/python/python_stack.h"

#include <string.h>

#include "base/arena_array.h"
#include "base/hash.h"
#include "stack/python/python_code.h"
#include "stack/python/python_cache.h"

enum {
    MAX_FRAMES = 1 << 24,
    MAX_NAME = 4096,
    /* Frames that are verified even if fewer are shown, so that total_nframe is right
     * too. */
    MIN_VERIFIED = 8,
    /* How far python_stack_step searches: entries outwards from the last top frame. */
    NEAR = 6,
    /* How often a walk is joined to the last stack before it goes on to the root. */
    MAX_JOINS = 4,
    MAX_PUSHED = 3, /* new frames that it adds inside them */
};

struct python_walk python_walk;

static const struct python_runtime *runtime;
static const struct python_stack_sink *sink;

/* Names as UTF-8 on their way to the sink: too large for a hook's stack. */
static char filename_buffer[MAX_NAME], name_buffer[MAX_NAME];

/* What tells the instruction of a frame: its address, which a code object has for
 * itself as long as it lives; to 3.10 the address of the code object and the index. */
static always_inline uint64_t ip_of(const char *frame, bool objects) {
    if (objects)
        return hash_mix(python_word_at(frame, python_walk.code)) +
               (uint64_t)(int64_t) * (const int *)(frame + python_walk.layout.ip);
    return python_word_at(frame, python_walk.layout.ip);
}

static always_inline uint32_t index_slot(const char *frame) {
    uintptr_t address = (uintptr_t)frame;
    return (uint32_t)(address >> 4 ^ address >> 13) % PYTHON_STACK_INDEX;
}

int python_stack_open(const struct python_runtime *found,
                      const struct python_stack_sink *to, uint32_t nframe) {
    const struct python_layout *layout = &found->layout;
    runtime = found;
    sink = to;
    python_walk.tstate_frame = layout->tstate_frame;
    python_walk.cframe_current = layout->cframe_current;
    python_walk.code = layout->frame_code;
    python_walk.objects = layout->frames == PYTHON_FRAMES_OBJECT;
    python_walk.layout =
        (struct python_frame_layout){layout->frame_previous, layout->frame_ip,
                                     layout->frames == PYTHON_FRAMES_CFRAME};
    python_walk.recent = layout->frames == PYTHON_FRAMES_CURRENT &&
                         python_walk.layout.previous == python_recent_layout.previous &&
                         python_walk.layout.ip == python_recent_layout.ip;
    python_walk.checked = false;
    python_walk.verified = nframe < MIN_VERIFIED ? MIN_VERIFIED : nframe;
    return python_cache_open();
}

void python_stack_close(void) {
    python_cache_close();
}

void python_stack_code_freed(uintptr_t code) {
    python_cache_forget(code);
}

void python_stack_forget(void) {
    python_cache_forget_all();
}

void python_stack_mark_live_codes(struct id_set *codes) {
    python_cache_mark_live_codes(codes);
}

void python_stack_forget_nodes(const struct id_set *nodes) {
    python_cache_forget_nodes(nodes);
}

void python_stack_release(struct python_stack *stack) {
    arena_array_release(&stack->frames, &stack->capacity, sizeof *stack->frames);
    stack->depth = stack->reusable = 0;
    python_stack_drop_leaf(stack);
}

static const char *code_of(const char *frame) {
    uintptr_t code = python_word_at(frame, python_walk.code);
    return (const char *)(runtime->layout.tagged ? code & ~(uintptr_t)7 : code);
}

static uint8_t owner_of(const char *frame) {
    return runtime->layout.frame_owner != 0
               ? *(const uint8_t *)(frame + runtime->layout.frame_owner)
               : 0;
}

/* The index of a code object in python_cache, to which it is added the first time; 0
 * without memory. */
static uint32_t introduce(const char *address, const struct python_code *code) {
    const struct python_layout *layout = &runtime->layout;
    uint32_t index = python_cache_code((uintptr_t)address);
    if (index != 0)
        return index;
    ssize_t filename = python_string_utf8(layout, code->filename, filename_buffer,
                                          sizeof filename_buffer, NULL);
    ssize_t name =
        python_string_utf8(layout, code->name, name_buffer, sizeof name_buffer, NULL);
    uint32_t id =
        sink->code(filename_buffer, filename > 0 ? (size_t)filename : 0, name_buffer,
                   name > 0 ? (size_t)name : 0, (uint32_t)code->first_line);
    index = python_cache_add_code((uintptr_t)address, id);
    if (index != 0)
        sink->watch(address);
    return index;
}

static const void *ip_word(const char *frame) {
    return python_walk.objects
               ? (const void *)(intptr_t) * (const int *)(frame + python_walk.layout.ip)
               : (const void *)python_word_at(frame, python_walk.layout.ip);
}

/* A line is far into a table that is read from its start: reading goes on where it
 * ended, for as long as no code dies. */
static uint32_t line_of(const struct python_code *code, const void *word) {
    static struct {
        struct python_line_scan scan;
        uint32_t epoch;
    } scans[64], *entry;
    entry = &scans[(uintptr_t)code->line_table / 64 % (sizeof scans / sizeof *scans)];
    if (entry->epoch != epoch_now)
        entry->scan.table = NULL;
    entry->epoch = epoch_now;
    int line = python_code_line(&runtime->layout, code, word, &entry->scan);
    return line < 0 ? 0 : (uint32_t)line;
}

/* The node of a frame that is not cached for this parent. A shim of the interpreter and
 * a frame that has not begun yet are not shown: their node is their parent's. */
static cold_path uint32_t resolve(const char *frame, uint32_t parent, uint64_t ip) {
    const struct python_layout *layout = &runtime->layout;
    struct python_code code;
    const char *address = code_of(frame);
    uint8_t owner = owner_of(frame);
    const void *word = ip_word(frame);
    if (python_code_is_incomplete(layout, NULL, word, owner) ||
        python_code_read(layout, runtime->code_type, address, &code) < 0)
        return parent;
    uint32_t index = introduce(address, &code);
    if (index == 0)
        return parent;
    uint32_t node = parent;
    if (!python_code_is_incomplete(layout, &code, word, owner))
        node = sink->node(parent, python_cache_code_id(index), line_of(&code, word));
    python_cache_add(parent, ip, node, index);
    return node;
}

/* Most events come from the same few lines again and again: the thread's own cache
 * saves the hashing of python_cache. */
static always_inline uint32_t node_of(struct python_stack *stack, const char *frame,
                                      uint32_t parent, uint64_t ip) {
    struct python_stack_cache_entry *step =
        &stack->cache[python_stack_cache_slot(parent, ip)];
    if (likely(step->ip == ip && step->parent == parent))
        return step->node;
    uint32_t node;
    if (!python_cache_find(parent, ip, &node))
        return resolve(frame, parent, ip);
    *step = (struct python_stack_cache_entry){ip, parent, node};
    return node;
}

static cold_path bool grow(struct python_stack *stack, uint32_t wanted) {
    return wanted <= MAX_FRAMES &&
           arena_array_reserve(&stack->frames, &stack->capacity, wanted,
                               sizeof *stack->frames) == 0;
}

/* Sets the entry at `at` for this frame. If it is unchanged, with the same parent, it
 * keeps its node. */
static always_inline void set_entry(struct python_stack *stack, uint32_t at,
                                    const char *frame, bool objects) {
    struct python_frame *entry = stack->frames + at;
    uint32_t parent = at > 0 ? entry[-1].node : 0;
    uint64_t ip = ip_of(frame, objects);
    if (at >= stack->reusable || entry->address != frame || entry->ip != ip ||
        entry->parent != parent) {
        entry->address = frame;
        entry->ip = ip;
        entry->parent = parent;
        entry->node = node_of(stack, frame, parent, ip);
    }
    entry->shown = (at > 0 ? entry[-1].shown : 0) + (entry->node != parent);
    stack->index[index_slot(frame)] = at;
}

/* The index of this frame in the last stack, or -1. */
static always_inline int64_t find_frame(const struct python_stack *stack,
                                        uint32_t depth, const char *frame) {
    if (likely(depth > 0 && stack->frames[depth - 1].address == frame))
        return (int64_t)depth - 1;
    uint32_t at = stack->index[index_slot(frame)];
    return at < depth && stack->frames[at].address == frame ? (int64_t)at : -1;
}

/* Follows the chain from `leaf` outwards to the first frame that is among the outermost
 * `depth` entries, or to the root, and puts the frames before it inside that one: their
 * addresses alone, for their nodes depend on outer ones. Returns the new depth, and in
 * `*pushed` the number of frames; 0 without memory. */
static uint32_t push_frames(struct python_stack *stack, uint32_t depth,
                            const char *leaf, uint32_t *pushed) {
    int64_t common = -1;
    uint32_t added = 0;
    for (const char *frame = leaf; frame != NULL;
         frame = python_pointer_at(frame, python_walk.layout.previous)) {
        common = find_frame(stack, depth, frame);
        if (common >= 0)
            break;
        added++;
    }
    uint32_t top = (uint32_t)(common + 1) + added, at = top;
    *pushed = added;
    if (unlikely(top > stack->capacity) && !grow(stack, top)) {
        *pushed = 0;
        return 0;
    }
    for (const char *frame = leaf; added > 0;
         frame = python_pointer_at(frame, python_walk.layout.previous), added--) {
        struct python_frame *entry = stack->frames + --at;
        if (at >= stack->reusable || entry->address != frame) {
            entry->address = frame;
            entry->parent = UINT32_MAX;
        }
    }
    if (stack->reusable < top)
        stack->reusable = top;
    return top;
}

/* The outermost entry that is compared if `kept` entries are left and `pushed` were put
 * inside them. If nearly all that is shown was pushed at once, the address of the entry
 * outside it proves too little, and the whole chain is compared. Up to 3.10 frames are
 * objects, which are reused in another order: a recursion may find its old frames one
 * position further in, each with the caller that it had, so each push compares the
 * whole chain. From 3.11 on a frame's address is the sum of the sizes of outer ones. */
static always_inline uint32_t outermost_verified(const struct python_stack *stack,
                                                 uint32_t kept, uint32_t pushed,
                                                 bool objects) {
    uint32_t hidden = kept - stack->frames[kept - 1].shown;
    uint32_t wanted = python_walk.verified + hidden;
    bool whole = objects ? pushed > 0 : pushed + 4 >= python_walk.verified;
    return kept > wanted && !whole ? kept - wanted : 0;
}

/* Whether the root of the last stack has a caller now. */
static always_inline bool has_caller(const struct python_frame *root) {
    return python_pointer_at(root->address, python_walk.layout.previous) != NULL;
}

/* Compares entries [outermost, kept) with their frames, from the innermost outwards.
 * Returns the outermost entry whose instruction differs, or `kept`; `*broken` is the
 * entry whose caller is not the next outer entry, or -1. */
static always_inline uint32_t verify(const struct python_stack *stack, uint32_t kept,
                                     uint32_t outermost, bool objects,
                                     int64_t *broken) {
    const struct python_frame *entry = stack->frames + kept - 1;
    const struct python_frame *last = stack->frames + outermost;
    const struct python_frame *changed = stack->frames + kept;
    const char *address = entry->address;
    for (;;) {
        if (unlikely(ip_of(address, objects) != entry->ip)) {
            changed = entry;
            /* A branch, and no chain of conditional moves from entry to entry. */
            __asm__ volatile("" : "+r"(changed));
        }
        if (entry == last)
            break;
        const char *outer = entry[-1].address;
        if (unlikely(python_pointer_at(address, python_walk.layout.previous) !=
                     outer)) {
            *broken = entry - stack->frames;
            return (uint32_t)(changed - stack->frames);
        }
        address = outer;
        entry--;
    }
    *broken = outermost == 0 && unlikely(has_caller(stack->frames)) ? 0 : -1;
    return (uint32_t)(changed - stack->frames);
}

/* If an entry's caller has changed, the entries from it inwards are of an older call:
 * the chain is followed again from the top frame to the first frame outside that entry
 * which the last stack has, until all that is shown is right. Each turn may correct one
 * entry of very many, so after a few turns the chain is followed to the root. */
static always_inline uint32_t capture(struct python_stack *stack, const char *leaf,
                                      bool objects) {
    int64_t broken = stack->depth;
    uint32_t top = stack->depth, changed = 0, pushed = 0;
    int joins = 0;
    bool is_known = top > 0 && stack->frames[top - 1].address == leaf;
    do {
        if (!is_known)
            top = push_frames(stack, (uint32_t)broken, leaf, &pushed);
        is_known = false;
        changed = top - pushed;
        if (unlikely(changed == 0))
            break;
        uint32_t outermost = outermost_verified(stack, changed, pushed, objects);
        changed = verify(stack, changed, outermost, objects, &broken);
        if (unlikely(broken >= 0 && ++joins > MAX_JOINS))
            broken = 0;
    } while (unlikely(broken >= 0));
    for (; changed < top; changed++)
        set_entry(stack, changed, stack->frames[changed].address, objects);
    stack->depth = top;
    return likely(top > 0) ? stack->frames[top - 1].node : 0;
}

/* A cached code object has died: another one may have its instructions' addresses. */
static cold_path void begin_epoch(struct python_stack *stack) {
    sink->renewed();
    stack->depth = stack->reusable = 0;
    stack->epoch = epoch_now;
    memset(stack->cache, 0, sizeof stack->cache);
}

static cold_path bool check(const char *tstate, const char *frame) {
    if (!python_runtime_check(runtime, tstate, frame)) {
        sink->refused();
        return false;
    }
    python_walk.checked = sink->ready();
    return true;
}

struct python_place python_stack_place(const char *tstate) {
    struct python_place place = {python_stack_leaf(&python_walk.layout, tstate), 0};
    if (place.frame != NULL)
        place.ip = ip_of(place.frame, python_walk.objects);
    return place;
}

bool python_stack_is_within(const char *tstate, const struct python_place *place) {
    const char *frame = python_stack_leaf(&python_walk.layout, tstate);
    while (frame != NULL && frame != place->frame)
        frame = python_pointer_at(frame, python_walk.layout.previous);
    return frame != NULL && ip_of(frame, python_walk.objects) == place->ip;
}

/* The entry of this frame if it is near the last top frame; else NULL. */
static always_inline struct python_frame *find_near(const struct python_stack *stack,
                                                    const char *frame) {
    struct python_frame *entry = stack->leaf;
    for (int steps = 0; steps < NEAR && entry >= stack->frames; steps++, entry--)
        if (entry->address == frame)
            return entry;
    return NULL;
}

/* The callers that are compared if this entry is the top frame. */
static always_inline struct python_callers callers_of(const struct python_stack *stack,
                                                      const struct python_frame *leaf) {
    uint32_t depth = (uint32_t)(leaf - stack->frames) + 1;
    uint32_t wanted = python_walk.verified + depth - leaf->shown;
    bool to_root = depth <= wanted;
    return (struct python_callers){(to_root ? depth : wanted) - 1, to_root};
}

static always_inline void set_leaf(struct python_stack *stack,
                                   struct python_frame *leaf) {
    stack->leaf = leaf;
    stack->callers = callers_of(stack, leaf);
    stack->address = leaf->address;
    stack->parent = leaf->parent;
}

/* Takes over the caller's present instruction. False if the caller is shown now and was
 * not before, or the other way round. */
static always_inline bool update_caller(const struct python_frame_layout *layout,
                                        struct python_stack *stack,
                                        struct python_frame *caller) {
    uint64_t ip = python_word_at(caller->address, layout->ip);
    if (ip == caller->ip)
        return true;
    uint32_t node = node_of(stack, caller->address, caller->parent, ip);
    if (unlikely((node == caller->parent) != (caller->node == caller->parent)))
        return false;
    caller->ip = ip;
    caller->node = node;
    return true;
}

/* Puts a frame inside `caller`, without its node. */
static always_inline struct python_frame *
push_frame(const struct python_frame_layout *layout, struct python_stack *stack,
           struct python_frame *caller, const char *frame) {
    struct python_frame *entry = caller + 1;
    uint32_t at = (uint32_t)(entry - stack->frames);
    if (at >= stack->reusable || entry->address != frame)
        stack->index[index_slot(frame)] = at;
    if (stack->reusable <= at)
        stack->reusable = at + 1;
    entry->address = frame;
    entry->ip = python_word_at(frame, layout->ip);
    entry->parent = caller->node;
    entry->shown = caller->shown + 1;
    return entry;
}

static always_inline uint32_t resolve_entry(struct python_stack *stack,
                                            struct python_frame *entry) {
    entry->node = node_of(stack, entry->address, entry->parent, entry->ip);
    entry->shown -= entry->node == entry->parent;
    return entry->node;
}

static always_inline struct python_frame *step(const struct python_frame_layout *layout,
                                               struct python_stack *stack,
                                               const char *frame) {
    const char *pushed[MAX_PUSHED], *outer = frame;
    uint32_t count = 0;
    struct python_frame *caller = NULL;
    if (unlikely(stack->leaf == NULL || stack->epoch != epoch_now))
        return NULL;
    do {
        pushed[count++] = outer;
        outer = python_pointer_at(outer, layout->previous);
        caller = find_near(stack, outer);
    } while (caller == NULL && outer != NULL && count < MAX_PUSHED);
    if (unlikely(caller == NULL || caller - stack->frames + count >= stack->capacity ||
                 !python_frame_callers_are_unchanged(layout, caller, outer,
                                                     callers_of(stack, caller)) ||
                 !update_caller(layout, stack, caller)))
        return NULL;
    for (; count > 1; count--) {
        caller = push_frame(layout, stack, caller, pushed[count - 1]);
        resolve_entry(stack, caller);
    }
    struct python_frame *leaf = push_frame(layout, stack, caller, frame);
    stack->depth = (uint32_t)(leaf - stack->frames) + 1;
    set_leaf(stack, leaf);
    return leaf;
}

struct python_frame *python_stack_step(struct python_stack *stack, const char *frame) {
    return likely(python_walk.recent) ? step(&python_recent_layout, stack, frame)
                                      : step(&python_walk.layout, stack, frame);
}

/* The next event starts from the top frame, or from its caller if that is not shown. */
static always_inline void set_shown_leaf(struct python_stack *stack,
                                         struct python_frame *leaf) {
    if (unlikely(leaf->node == leaf->parent) && leaf > stack->frames)
        leaf--;
    if (likely(leaf->node != leaf->parent))
        set_leaf(stack, leaf);
    else
        python_stack_drop_leaf(stack);
}

uint32_t python_stack_resolve(struct python_stack *stack) {
    struct python_frame *leaf = stack->leaf;
    if (unlikely(resolve_entry(stack, leaf) == leaf->parent))
        set_shown_leaf(stack, leaf);
    return leaf->node;
}

uint32_t python_stack_capture_slow_path(struct python_stack *stack, const char *tstate,
                                        const char *frame) {
    if (likely(frame != NULL && python_stack_step(stack, frame) != NULL))
        return python_stack_resolve(stack);
    python_stack_drop_leaf(stack);
    if (unlikely(frame == NULL)) {
        stack->depth = 0;
        return 0;
    }
    if (unlikely(!python_walk.checked) && !check(tstate, frame))
        return 0;
    if (unlikely(stack->epoch != epoch_now))
        begin_epoch(stack);
    uint32_t node = python_walk.objects ? capture(stack, frame, true)
                                        : capture(stack, frame, false);
    if (!python_walk.objects && python_walk.checked && stack->depth > 0)
        set_shown_leaf(stack, stack->frames + stack->depth - 1);
    return node;
}
