/* SPDX-License-Identifier: MIT */
/* The Python stack of the calling thread, as a node of a prefix tree.
 *
 * Each thread keeps its last stack, root first, and verifies it by prediction: the next
 * frame's address comes from the array and `previous` is only compared, so that the
 * loads of the frames do not wait for each other.
 *
 *   last stack   root ... [frame, ip, node] [frame, ip, node] <- top frame
 *   verify       frame->ip == ip  and  frame->previous == the next outer frame,
 *                for the `nframe` most recent
 *
 * A frame's address is read only once `previous` of a live frame has led to it, so no
 * freed memory is touched. Frames outside the limit are not shown, so their lines may
 * be stale.
 *
 * The cache of (parent node, instruction) to node is shared by all threads:
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

/* Offsets in a frame of what each event reads. */
struct python_frame_layout {
    uint32_t previous;
    uint32_t ip;
    bool cframe; /* the thread state leads to its top frame by a cframe */
};

/* 3.13 to 3.15. A constant, so that the comparison of a frame takes shorter
 * instructions. */
static const struct python_frame_layout python_recent_layout = {8, 56, false};

/* What the walk needs of a version, in one cache line. */
struct python_walk {
    struct python_frame_layout layout;
    bool recent;  /* the layout is python_recent_layout */
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
    /* Node of the next outer entry; equal to `node` if the frame is not shown. */
    uint32_t parent;
    uint32_t shown; /* frames shown, from the root to this one */
    uint32_t reserved;
};

enum { PYTHON_STACK_INDEX = 512, PYTHON_STACK_CACHE = 128 };

/* The address of no frame, which NULL may be: a thread may have none. */
#define PYTHON_STACK_NO_LEAF ((const char *)1)

/* An entry of the cache that a thread has in front of python_cache. */
struct python_stack_cache_entry {
    uint64_t ip;
    uint32_t parent;
    uint32_t node;
};

/* The callers of a frame that are compared. */
struct python_callers {
    uint32_t count;
    bool to_root; /* that the last one has no caller is compared too */
};

struct python_stack {
    /* From 3.11 on the top frame of the last stack, if it is shown; NULL: the next
     * event takes the slow path. */
    struct python_frame *leaf;
    /* Its address, or PYTHON_STACK_NO_LEAF; its callers; its parent. */
    const char *address;
    struct python_callers callers;
    uint32_t parent;
    uint32_t epoch;              /* epoch_now when the entries were made */
    uint32_t depth;              /* entries of the last stack */
    struct python_frame *frames; /* mapped when first needed */
    /* Entries that may be reused: those of the last stack, and older ones inside it. */
    uint32_t reusable;
    uint32_t capacity;
    struct python_stack_cache_entry cache[PYTHON_STACK_CACHE]; /* all zero: empty */
    uint32_t index[PYTHON_STACK_INDEX]; /* frame address to its likely entry */
};

/* Takes nodes and names to the dump. */
struct python_stack_sink {
    /* The id of a code object; its names are UTF-8. */
    uint32_t (*code)(const char *filename, size_t filename_length, const char *name,
                     size_t name_length, uint32_t first_line);
    uint32_t (*node)(uint32_t parent, uint32_t code, uint32_t line);
    /* From now on the freeing of this code object is reported by
     * python_stack_code_freed. */
    void (*watch)(const void *code);
    /* The first frame passed all checks, so the types are ready. Called at each capture
     * until it returns true. */
    bool (*ready)(void);
    /* A check failed: this is not the CPython that it says it is. Python frames are off
     * from now on. */
    void (*refused)(void);
    /* The thread drops its stack in a new epoch: only python_cache holds ids of nodes
     * and code objects now. */
    void (*renewed)(void);
};

/* Begins with an empty cache. nframe: frames that must be right. 0, or -ENOMEM. */
must_check int python_stack_open(const struct python_runtime *runtime,
                                 const struct python_stack_sink *sink, uint32_t nframe);
void python_stack_close(void);

/* The next event takes the slow path. */
static inline void python_stack_drop_leaf(struct python_stack *stack) {
    stack->leaf = NULL;
    stack->address = PYTHON_STACK_NO_LEAF;
}

/* Handles a few calls or returns since the last event. Finds the entry of the new top
 * frame and updates its caller; python_stack_resolve sets the entry's node. NULL if
 * more has changed. */
struct python_frame *python_stack_step(struct python_stack *stack, const char *frame);
/* The node of the top frame that python_stack_step found. */
uint32_t python_stack_resolve(struct python_stack *stack);

/* As python_stack_capture, if the stack has changed. */
uint32_t python_stack_capture_slow_path(struct python_stack *stack, const char *tstate,
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

/* Whether the caller of the frame at `address` is the entry outside `entry`, at the
 * same instruction. Makes `address` that caller's. */
static always_inline bool
python_frame_caller_is_unchanged(const struct python_frame_layout *layout,
                                 const struct python_frame *entry,
                                 const char **address) {
    const struct python_frame *outer = entry - 1;
    const char *caller = outer->address;
    if (unlikely(python_pointer_at(*address, layout->previous) != caller ||
                 python_word_at(caller, layout->ip) != outer->ip))
        return false;
    *address = caller;
    return true;
}

/* The same of two callers, of four and of eight. */
static always_inline bool
python_frame_2_are_unchanged(const struct python_frame_layout *layout,
                             const struct python_frame *entry, const char **address) {
    return python_frame_caller_is_unchanged(layout, entry, address) &&
           python_frame_caller_is_unchanged(layout, entry - 1, address);
}
static always_inline bool
python_frame_4_are_unchanged(const struct python_frame_layout *layout,
                             const struct python_frame *entry, const char **address) {
    return python_frame_2_are_unchanged(layout, entry, address) &&
           python_frame_2_are_unchanged(layout, entry - 2, address);
}
static always_inline bool
python_frame_8_are_unchanged(const struct python_frame_layout *layout,
                             const struct python_frame *entry, const char **address) {
    return python_frame_4_are_unchanged(layout, entry, address) &&
           python_frame_4_are_unchanged(layout, entry - 4, address);
}

/* Whether the callers of the frame at `address`, whose entry is `at`, are unchanged. A
 * frame takes six instructions. */
static always_inline bool
python_frame_callers_are_unchanged(const struct python_frame_layout *layout,
                                   const struct python_frame *at, const char *address,
                                   struct python_callers callers) {
    for (; callers.count >= 8; callers.count -= 8, at -= 8)
        if (!python_frame_8_are_unchanged(layout, at, &address))
            return false;
    if ((callers.count & 4) != 0) {
        if (!python_frame_4_are_unchanged(layout, at, &address))
            return false;
        at -= 4;
    }
    if ((callers.count & 2) != 0) {
        if (!python_frame_2_are_unchanged(layout, at, &address))
            return false;
        at -= 2;
    }
    if ((callers.count & 1) != 0 &&
        !python_frame_caller_is_unchanged(layout, at, &address))
        return false;
    return !callers.to_root ||
           likely(python_pointer_at(address, layout->previous) == NULL);
}

/* Fast path: whether the top frame is that of the last event, and its callers are
 * unchanged. */
static always_inline bool
python_stack_is_unchanged(const struct python_frame_layout *layout,
                          const struct python_stack *stack, const char *leaf) {
    if (unlikely(stack->address != leaf || stack->epoch != epoch_now))
        return false;
    return python_frame_callers_are_unchanged(layout, stack->leaf, leaf,
                                              stack->callers);
}

/* As python_stack_capture, if the stack is unchanged and the top frame's instruction is
 * cached. Else false, and nothing is written. */
static always_inline bool
python_stack_capture_unchanged(const struct python_frame_layout *layout,
                               struct python_stack *stack, const char *leaf,
                               uint32_t *node) {
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
            ? likely(python_stack_capture_unchanged(&python_recent_layout, stack, frame,
                                                    &node))
            : python_stack_capture_unchanged(&python_walk.layout, stack, frame, &node))
        return node;
    return python_stack_capture_slow_path(stack, tstate, frame);
}

void python_stack_code_freed(uintptr_t code);
/* Drops the cached code objects. */
void python_stack_forget(void);
/* See python_cache_mark_live_codes, python_cache_forget_nodes. */
void python_stack_mark_live_codes(struct id_set *codes);
void python_stack_forget_nodes(const struct id_set *nodes);

/* A point in the running program: a frame, or NULL, and its instruction. */
struct python_place {
    const char *frame;
    uint64_t ip;
};

/* The point that a thread is at. */
struct python_place python_stack_place(const char *tstate);
/* Whether a thread is still at that point, or in a call that was made there. */
bool python_stack_is_within(const char *tstate, const struct python_place *place);

/* Gives the memory of an ended thread's stack back. */
void python_stack_release(struct python_stack *stack);
