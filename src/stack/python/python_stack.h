/* SPDX-License-Identifier: MIT */
/* The Python stack of the calling thread, as a node of a prefix tree.
 *
 * Each thread keeps its last stack, root first, and verifies it by prediction: the next
 * frame's address comes from the array and `previous` is only compared, so that the
 * loads of the frames do not wait for each other.
 *
 *   last stack   root ... [frame, ip, node] [frame, ip, node] <- leaf
 *   verify       frame->ip == ip  and  frame->previous == the frame below,
 *                for the `nframe` most recent
 *
 * A frame's address is read only once `previous` of a live frame has led to it, so no
 * freed memory is touched. What is below the limit may differ in its line without being
 * shown.
 *
 * The memo (parent node, instruction) to node is shared by all threads:
 * python_stack_capture and python_stack_code_freed run under the tracer's lock, or with
 * one thread, and never in a signal handler that interrupted them. Nothing here
 * allocates by malloc, takes the GIL, counts references or calls into Python; errno
 * stays as it was.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "stack/python/python_cache.h"
#include "stack/python/python_runtime.h"

/* Where a frame has what each event looks at, and whether a cframe leads to it. */
struct python_frame_layout {
    uint32_t previous;
    uint32_t ip;
    bool cframe;
};

/* 3.13 to 3.15. Where the compiler knows it, the comparison of a frame takes shorter
 * instructions. */
static const struct python_frame_layout python_recent_layout = {8, 56, false};

/* What the walk needs of a version, in one cache line. */
struct python_walk {
    struct python_frame_layout layout;
    bool recent;  /* which is python_recent_layout */
    bool objects; /* to 3.10: frames are objects, the instruction is an int */
    bool checked;
    uint32_t tstate_frame;
    uint32_t cframe_current;
    uint32_t code;
    uint32_t verified; /* frames that are compared at each event */
};

extern internal struct python_walk python_walk;

/* An entry of a thread's last stack. */
struct python_frame {
    const char *address;
    /* Pointer to the instruction; to 3.10 the code and the index of it in one word. */
    uint64_t ip;
    uint32_t node; /* the stack that ends here */
    /* Node of the entry below; the same as `node` for a frame that is not shown. */
    uint32_t parent;
    uint32_t shown; /* frames up to here that are shown */
    uint32_t reserved;
};

enum { PYTHON_STACK_INDEX = 512, PYTHON_STACK_CACHE = 128 };

/* What the memo said lately. */
struct python_stack_cache_entry {
    uint64_t ip;
    uint32_t parent;
    uint32_t node;
};

struct python_stack {
    struct python_frame *
        leaf; /* from 3.11 on: the last stack's, where it is shown; NULL: look closer */
    struct python_frame *lowest; /* the last one that is compared below it */
    struct python_frame *frames; /* mapped when first needed */
    uint32_t depth;              /* entries of the last stack */
    /* Entries that may be reused: those of the last stack, and older ones above it. */
    uint32_t known;
    uint32_t capacity;
    uint32_t epoch; /* of the memo, when the entries were made */
    struct python_stack_cache_entry
        cache[PYTHON_STACK_CACHE];      /* all zero is no step: ip is never 0 */
    uint32_t index[PYTHON_STACK_INDEX]; /* frame address to its likely entry */
};

/* Where nodes and names go. */
struct python_stack_sink {
    /* The id of a code object; its names are UTF-8. */
    uint32_t (*code)(const char *filename, size_t filename_length, const char *name,
                     size_t name_length, uint32_t first_line);
    uint32_t (*node)(uint32_t parent, uint32_t code, uint32_t line);
    /* Tell python_stack_code_freed when the memory of this code object is freed. */
    void (*watch)(const void *code);
    /* A frame was met, and the walk's offsets hold: the types are ready. Asked at each
     * capture until it says true. */
    bool (*ready)(void);
    /* Something does not look like this version of CPython: no Python frames from now
     * on. */
    void (*refused)(void);
    /* A thread begins anew in a new epoch: no id of a node or a code object is in use
     * but in the memo. */
    void (*renewed)(void);
};

/* Begins with an empty memo. nframe: frames that have to be right. 0, or -ENOMEM. */
must_check int python_stack_open(const struct python_runtime *runtime,
                                 const struct python_stack_sink *sink, uint32_t nframe);
void python_stack_close(void);

/* A call, a return, or both since the last event: the way of most that
 * python_stack_again is not for. Finds the entry of the new leaf, and brings its caller
 * up to date: all of the entry but its node, for which there is python_stack_resolve.
 * NULL when it was more than that. */
struct python_frame *python_stack_step(struct python_stack *stack, const char *frame);
/* The node of the leaf that python_stack_step found. */
uint32_t python_stack_resolve(struct python_stack *stack);

/* As python_stack_capture, but for the last stack again. */
uint32_t python_stack_look(struct python_stack *stack, const char *tstate,
                           const char *frame);

static always_inline uint64_t python_word_at(const char *address, uint32_t offset) {
    return *(const uint64_t *)(address + offset);
}

static always_inline const char *python_pointer_at(const char *address,
                                                   uint32_t offset) {
    return *(const char *const *)(address + offset);
}

static always_inline uint32_t python_stack_cache_slot(uint32_t parent, uint64_t ip) {
    return (uint32_t)(ip >> 1 ^ ip >> 8 ^ parent) % PYTHON_STACK_CACHE;
}

static always_inline const char *
python_stack_leaf(const struct python_frame_layout *layout, const char *tstate) {
    const char *frame = python_pointer_at(tstate, python_walk.tstate_frame);
    return layout->cframe && frame != NULL
               ? python_pointer_at(frame, python_walk.cframe_current)
               : frame;
}

/* Whether `entry` is called by the one below it, which is at the instruction it was at.
 * Goes down to that one. */
static always_inline bool python_frame_holds(const struct python_frame_layout *layout,
                                             const struct python_frame **entry,
                                             const char **address) {
    const struct python_frame *below = *entry - 1;
    const char *caller = below->address;
    if (unlikely(python_pointer_at(*address, layout->previous) != caller ||
                 python_word_at(caller, layout->ip) != below->ip))
        return false;
    *entry = below;
    *address = caller;
    return true;
}

/* Whether the callers from this entry's down to `last` are as they were. Four frames a
 * turn: a frame takes six instructions. */
static always_inline bool python_frame_stands(const struct python_frame_layout *layout,
                                              const struct python_stack *stack,
                                              const struct python_frame *at,
                                              const struct python_frame *last) {
    const struct python_frame *last_turn = last + 3;
    const char *address = at->address;
    while (at > last_turn)
        if (!python_frame_holds(layout, &at, &address) ||
            !python_frame_holds(layout, &at, &address) ||
            !python_frame_holds(layout, &at, &address) ||
            !python_frame_holds(layout, &at, &address))
            return false;
    if (at > last + 1 && (!python_frame_holds(layout, &at, &address) ||
                          !python_frame_holds(layout, &at, &address)))
        return false;
    if (at != last && !python_frame_holds(layout, &at, &address))
        return false;
    return last != stack->frames ||
           likely(python_pointer_at(address, layout->previous) == NULL);
}

/* Whether the last event's leaf is here again, below the same callers: the way of most
 * events. */
static always_inline bool
python_stack_is_unchanged(const struct python_frame_layout *layout,
                          const struct python_stack *stack, const char *leaf) {
    const struct python_frame *entry = stack->leaf;
    if (unlikely(entry == NULL || entry->address != leaf || stack->epoch != epoch_now))
        return false;
    return python_frame_stands(layout, stack, entry, stack->lowest);
}

/* As python_stack_capture where that needs no more than a look at what is at hand.
 * False with nothing changed. */
static always_inline bool python_stack_again(const struct python_frame_layout *layout,
                                             struct python_stack *stack,
                                             const char *leaf, uint32_t *node) {
    struct python_frame *entry = stack->leaf;
    if (unlikely(!python_stack_is_unchanged(layout, stack, leaf)))
        return false;
    uint64_t ip = python_word_at(leaf, layout->ip);
    if (ip != entry->ip) {
        const struct python_stack_cache_entry *step =
            &stack->cache[python_stack_cache_slot(entry->parent, ip)];
        if (unlikely(step->ip != ip || step->parent != entry->parent ||
                     step->node == step->parent))
            return false;
        entry->ip = ip;
        entry->node = step->node;
    }
    *node = entry->node;
    return true;
}

/* The node of the stack of `tstate`, which must be the calling thread's own; 0 for the
 * empty stack. */
static always_inline uint32_t python_stack_capture(struct python_stack *stack,
                                                   const char *tstate) {
    const char *frame = python_stack_leaf(&python_walk.layout, tstate);
    uint32_t node;
    if (likely(python_walk.recent)
            ? likely(python_stack_again(&python_recent_layout, stack, frame, &node))
            : python_stack_again(&python_walk.layout, stack, frame, &node))
        return node;
    return python_stack_look(stack, tstate, frame);
}

void python_stack_code_freed(uintptr_t code);
/* Forgets what was learned of all code objects. */
void python_stack_forget(void);
/* See python_cache_spare, python_cache_forget_nodes. */
void python_stack_spare_codes(struct id_set *codes);
void python_stack_forget_nodes(const struct id_set *nodes);

/* A place in the running program: a frame and its instruction. `frame` is NULL where
 * there is none. */
struct python_place {
    const char *frame;
    uint64_t ip;
};

/* Where a thread is now. */
struct python_place python_stack_place(const char *tstate);
/* Whether a thread is still at that place, or in what was called from there. */
bool python_stack_is_within(const char *tstate, const struct python_place *place);

/* Gives the memory of an ended thread's stack back. */
void python_stack_release(struct python_stack *stack);
