/* SPDX-License-Identifier: MIT */
/* Native and Python frames of a thread in one stack: each evaluation of Python code is
 * replaced by the Python frames that run in it.
 *
 *   native      main .. eval(1) .. call eval(2) list_resize
 *   Python      A B in eval(1), C in eval(2)
 *   together    main ..  A B   .. call    C     list_resize
 *
 * Under the tracer's lock, or with one thread, as native_stack. Memory comes from the
 * arena.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "stack/native/native_stack.h"
#include "stack/native/native_suffix.h"
#include "stack/python/python_stack.h"

/* Gives the nodes of merged stacks: `parent` with one more frame. */
struct native_merge_sink {
    uint32_t (*native)(uint32_t parent, uint32_t module, uint64_t address);
    /* Adds the frame that the Python stack `node` ends with to `parent`. */
    uint32_t (*python)(uint32_t parent, uint32_t node);
};

/* A Python frame of the last stack. */
struct native_python {
    const char *address;
    uint32_t node;   /* of the Python stack */
    uint32_t parent; /* of the merged stack */
    uint32_t merged; /* the merged stack that ends here */
    uint32_t reserved;
};

/* A stack that depends on more words is unwound at each event. */
enum { NATIVE_MERGE_WORDS = 256 };

/* One thread's. */
struct native_merge {
    struct native_stack native;
    struct native_python *python; /* root first */
    uint32_t python_depth;
    uint32_t python_capacity;
    uint32_t prefix;     /* Python frames of no evaluation that was found: below all */
    uint32_t generation; /* of native_merge_open */
    bool broken;         /* the walk of this event ended before the root */
    bool cramped;        /* the program's stack had too little room for a walk */

    /* The innermost evaluation, to which all Python frames from `innermost_first` on
     * belong. */
    uint32_t innermost; /* its entry, or NATIVE_NO_PYTHON */
    uint32_t innermost_first;
    uint32_t innermost_node; /* its node when the nodes of the inner entries were set */
    uint8_t innermost_flags;
    const uint64_t *innermost_at; /* its slot */
    /* What the outer entries that are shown depend on. */
    uint32_t word_count;
    struct native_slot words[NATIVE_MERGE_WORDS];

    struct native_suffixes suffixes; /* the frames inside it */
};

/* Begins for a new dump. `layout` is NULL without Python frames. The limits are on the
 * frames that are shown. */
void native_merge_open(const struct native_merge_sink *sink,
                       const struct python_layout *layout, uint32_t max_native);
void native_merge_close(void);
/* Ids of nodes are about to be given out again: all threads drop theirs. */
void native_merge_forget(void);

/* Drops the entries if they are of a dump before the last native_merge_open or
 * native_merge_forget. */
void native_merge_refresh(struct native_merge *merge);

/* The node of the calling thread's merged stack, whose innermost native frame is
 * `leaf`. `python` and `tstate` are NULL without Python frames, else
 * python_stack_capture has just brought the stack up to date. */
uint32_t native_merge_find(struct native_merge *merge,
                           const struct native_registers *leaf,
                           const struct python_stack *python, const char *tstate);

/* Gives all memory of an ended thread back, also the structure itself, which arena_map
 * made. NULL does nothing. */
void native_merge_release(struct native_merge *merge);
