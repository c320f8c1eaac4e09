/* SPDX-License-Identifier: MIT */
#include "stack/native/native_boundary.h"

struct native_boundary_rules native_boundary;

/* A scan of the evaluations on the C stack, from the innermost outwards. */
struct scan {
    const struct python_frame *frames;
    const char *cframe;
    uintptr_t leaf;      /* stack pointer of the top frame */
    uintptr_t low, high; /* the C stack lies between them */
    uintptr_t address;   /* of the current boundary; 0: no more */
    uint32_t first;      /* first Python frame of the current boundary */
    uint32_t open;       /* Python frames without an evaluation so far */
};

static enum native_boundary_by choose(const struct python_layout *layout) {
    if (layout->version >= 0x30c)
        return NATIVE_BOUNDARY_ENTRY;
    if (layout->version == 0x30b)
        return NATIVE_BOUNDARY_CFRAME_ENTRY;
    return layout->version == 0x30a ? NATIVE_BOUNDARY_CFRAME : NATIVE_BOUNDARY_CODE;
}

void native_boundary_open(const struct python_layout *layout) {
    native_boundary = (struct native_boundary_rules){
        .by = choose(layout),
        .tstate_cframe = layout->tstate_cframe,
        .cframe_previous = layout->cframe_previous,
        .frame_is_entry = layout->frame_is_entry,
    };
}

static void next_by_entry(struct scan *scan, uint32_t at) {
    while (at > 0) {
        uintptr_t address = (uintptr_t)scan->frames[--at].address;
        if (address - scan->low < scan->high - scan->low) {
            scan->address = address;
            scan->first = at;
            return;
        }
    }
}

static void next_by_cframe(struct scan *scan, uint32_t at) {
    const char *cframe = scan->cframe;
    const char *previous =
        cframe != NULL ? python_pointer_at(cframe, native_boundary.cframe_previous)
                       : NULL;
    /* The outermost one is part of the thread state, and belongs to no evaluation. */
    if (at == 0 || previous == NULL)
        return;
    scan->cframe = previous;
    scan->address = (uintptr_t)cframe;
    scan->first = at - 1;
    if (native_boundary.by == NATIVE_BOUNDARY_CFRAME_ENTRY)
        while (scan->first > 0 &&
               !native_boundary_is_entry(scan->frames[scan->first].address))
            scan->first--;
}

/* `at`: Python frames that have no evaluation yet. */
static void next_boundary(struct scan *scan, uint32_t at) {
    scan->address = 0;
    if (native_boundary.by == NATIVE_BOUNDARY_ENTRY)
        next_by_entry(scan, at);
    else if (native_boundary.by != NATIVE_BOUNDARY_CODE)
        next_by_cframe(scan, at);
}

/* What a signal interrupted has its address among the registers that the kernel left,
 * maybe on another stack, and its stack pointer beside it. */
static uintptr_t stack_pointer(const struct native_stack *native, uint32_t at) {
    if (unlikely(native->frames[at].exact))
        return native_registers_interrupted_sp(native->slots[at].at);
    return native_stack_pointer(native, at);
}

/* Whether the boundary is on a part of the stack that was left without a return, by
 * longjmp. The thread's stack may be at lower addresses than a signal's own. */
static bool is_left(const struct scan *scan, uintptr_t sp) {
    bool same_stack = (scan->address < scan->leaf) == (sp < scan->leaf);
    return scan->address != 0 &&
           (scan->address < scan->low || (same_stack && scan->address < sp));
}

static bool takes_frames(struct scan *scan, const struct native_frame *frame,
                         uintptr_t sp, uintptr_t cfa) {
    if (native_boundary.by == NATIVE_BOUNDARY_CODE) {
        scan->first = scan->open - 1;
        return (frame->flags & NATIVE_EVALUATES) != 0 && scan->open > 0;
    }
    /* Such Python frames go to the next boundary. */
    while (is_left(scan, sp))
        next_boundary(scan, scan->first);
    return scan->address >= sp && scan->address < cfa;
}

static void begin(struct scan *scan, const struct native_stack *native,
                  const char *tstate) {
    scan->leaf = native_stack_pointer(native, native->depth - 1);
    scan->high = native_stack_pointer(native, 0);
    scan->low = scan->leaf;
    /* A signal stack at higher addresses than the thread's. */
    for (uint32_t i = 0; scan->leaf > scan->high && i < native->depth; i++)
        if (stack_pointer(native, i) < scan->low)
            scan->low = stack_pointer(native, i);
    if (tstate != NULL && native_boundary.tstate_cframe != 0)
        scan->cframe = python_pointer_at(tstate, native_boundary.tstate_cframe);
    next_boundary(scan, scan->open);
}

uint32_t native_boundary_assign(struct native_stack *native, uint32_t outermost,
                                const struct python_frame *frames, uint32_t depth,
                                const char *tstate) {
    struct scan scan = {.frames = frames, .open = depth};
    begin(&scan, native, tstate);
    for (uint32_t i = native->depth; i-- > outermost;) {
        struct native_frame *frame = native->frames + i;
        uintptr_t cfa = i > 0 ? stack_pointer(native, i - 1) : UINTPTR_MAX;
        frame->first = frame->end = NATIVE_NO_PYTHON;
        if (!takes_frames(&scan, frame, stack_pointer(native, i), cfa))
            continue;
        frame->first = scan.first;
        frame->end = scan.open;
        scan.open = scan.first;
        next_boundary(&scan, scan.open);
    }
    return scan.open;
}

uint32_t native_boundary_outer(const struct native_stack *native, uint32_t limit,
                               uint32_t first) {
    for (uint32_t i = limit; i-- > 0;)
        if (native->frames[i].first != NATIVE_NO_PYTHON &&
            native->frames[i].first <= first)
            return i;
    return limit;
}
