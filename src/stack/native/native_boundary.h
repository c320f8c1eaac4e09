/* SPDX-License-Identifier: MIT */
/* Evaluation boundaries: which native frame evaluates which Python frames.
 *
 * CPython keeps something of each evaluation inside the evaluation's own C frame, and
 * points to it: from 3.12 on the entry frame that ends each chain of Python calls
 * without C between them, in 3.10 and 3.11 the structure `cframe`. The native frame
 * whose part of the stack contains that address is the evaluation. Up to 3.9 there is
 * nothing of the kind: an evaluation is recognised by the address of its code, and
 * evaluates one Python frame.
 *
 * Under the tracer's lock, or with one thread; allocates nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "stack/native/native_stack.h"
#include "stack/python/python_stack.h"

/* How evaluations are found. */
enum native_boundary_by {
    NATIVE_BOUNDARY_CODE,         /* to 3.9 */
    NATIVE_BOUNDARY_CFRAME,       /* 3.10 */
    NATIVE_BOUNDARY_CFRAME_ENTRY, /* 3.11: a frame says if one began with it */
    NATIVE_BOUNDARY_ENTRY,        /* from 3.12 on */
};

struct native_boundary_rules {
    enum native_boundary_by by;
    uint32_t tstate_cframe;
    uint32_t cframe_previous;
    uint32_t frame_is_entry;
};

/* Written by native_boundary_open, read by all. */
extern struct native_boundary_rules native_boundary;

void native_boundary_open(const struct python_layout *layout);

/* Sets `first` and `end` of the native entries from `outermost` inwards. There are
 * `depth` Python frames, root first. Returns how many of them no entry evaluates: they
 * are left for the entries outside `outermost`. */
uint32_t native_boundary_assign(struct native_stack *native, uint32_t outermost,
                                const struct python_frame *frames, uint32_t depth,
                                const char *tstate);

/* The innermost entry outside `limit` that evaluates, and whose first Python frame is
 * `first` or outside it; `limit` if there is none. */
uint32_t native_boundary_outer(const struct native_stack *native, uint32_t limit,
                               uint32_t first);

static always_inline bool native_boundary_is_entry(const char *frame) {
    return *(const unsigned char *)(frame + native_boundary.frame_is_entry) != 0;
}

/* Whether an evaluation begins with a new Python frame that others called. `low` and
 * `high`: the addresses between which the C stack lies. */
static always_inline bool native_boundary_begins(const char *frame, uintptr_t low,
                                                 uintptr_t high) {
    if (native_boundary.by == NATIVE_BOUNDARY_ENTRY)
        return (uintptr_t)frame - low < high - low;
    return native_boundary.by != NATIVE_BOUNDARY_CFRAME_ENTRY ||
           native_boundary_is_entry(frame);
}
