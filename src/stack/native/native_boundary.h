/* SPDX-License-Identifier: MIT */
/* Which native frame evaluates which Python frames.
 *
 * An evaluation is known by what it keeps on the C stack, inside its own frame, and
 * what CPython leads to: from 3.12 on the entry frame that ends each chain of calls
 * without C between them, in 3.10 and 3.11 the structure `cframe`. To 3.9 there is
 * nothing of the kind: evaluations are known by the address of their code, and each has
 * one frame.
 *
 * Under the tracer's lock, or with one thread; allocates nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "stack/native/native_stack.h"
#include "stack/python/python_stack.h"

/* How evaluations are found, see above. */
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

/* Sets `first` and `end` of the native entries from `lowest` on. There are `depth`
 * Python frames, root first. Returns how many of them are left for the entries
 * below. */
uint32_t native_boundary_assign(struct native_stack *native, uint32_t lowest,
                                const struct python_frame *frames, uint32_t depth,
                                const char *tstate);

/* The highest entry below `limit` that evaluates, and whose first Python frame is not
 * above `first`; `limit` when there is none. */
uint32_t native_boundary_outer(const struct native_stack *native, uint32_t limit,
                               uint32_t first);

static always_inline bool native_boundary_is_entry(const char *frame) {
    return *(const unsigned char *)(frame + native_boundary.frame_is_entry) != 0;
}

/* Whether an evaluation of its own begins with a Python frame that is new above others.
 * `low` and `high` are addresses of the leaf's and the root's part of the C stack. */
static always_inline bool native_boundary_begins(const char *frame, uintptr_t low,
                                                 uintptr_t high) {
    if (native_boundary.by == NATIVE_BOUNDARY_ENTRY)
        return (uintptr_t)frame - low < high - low;
    return native_boundary.by != NATIVE_BOUNDARY_CFRAME_ENTRY ||
           native_boundary_is_entry(frame);
}
