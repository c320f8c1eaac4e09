/* SPDX-License-Identifier: MIT */
#include "stack/native/native_boundary.h"

struct native_boundary_rules native_boundary;

/* One look from the leaf down over what the evaluations left on the C stack. */
struct look {
    const struct python_frame *frames;
    const char *cframe;
    uintptr_t leaf;      /* stack pointer of the leaf */
    uintptr_t low, high; /* of the C stack */
    uintptr_t address;   /* of the present mark; 0: no more */
    uint32_t first;      /* Python frame of the present mark */
    uint32_t open;       /* Python frames below all that have their evaluation */
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

static void next_by_entry(struct look *look, uint32_t at) {
    while (at > 0) {
        uintptr_t address = (uintptr_t)look->frames[--at].address;
        if (address - look->low < look->high - look->low) {
            look->address = address;
            look->first = at;
            return;
        }
    }
}

static void next_by_cframe(struct look *look, uint32_t at) {
    const char *cframe = look->cframe;
    const char *previous =
        cframe != NULL ? python_pointer_at(cframe, native_boundary.cframe_previous)
                       : NULL;
    /* The last one is part of the thread state, and evaluates nothing. */
    if (at == 0 || previous == NULL)
        return;
    look->cframe = previous;
    look->address = (uintptr_t)cframe;
    look->first = at - 1;
    if (native_boundary.by == NATIVE_BOUNDARY_CFRAME_ENTRY)
        while (look->first > 0 &&
               !native_boundary_is_entry(look->frames[look->first].address))
            look->first--;
}

/* `at`: the Python frames below are still to be told. */
static void next_mark(struct look *look, uint32_t at) {
    look->address = 0;
    if (native_boundary.by == NATIVE_BOUNDARY_ENTRY)
        next_by_entry(look, at);
    else if (native_boundary.by != NATIVE_BOUNDARY_CODE)
        next_by_cframe(look, at);
}

/* What a signal interrupted has its address among the registers that the kernel left,
 * maybe on another stack, and its stack pointer beside it. */
static uintptr_t stack_pointer(const struct native_stack *native, uint32_t at) {
    if (unlikely(native->frames[at].exact))
        return native_registers_interrupted_sp(native->slots[at].at);
    return native_stack_pointer(native, at);
}

/* Whether the present mark is of a stack that was left without a return. The thread's
 * stack may be below a signal's own. */
static bool is_left(const struct look *look, uintptr_t sp) {
    bool same_stack = (look->address < look->leaf) == (sp < look->leaf);
    return look->address != 0 &&
           (look->address < look->low || (same_stack && look->address < sp));
}

static bool takes_frames(struct look *look, const struct native_frame *frame,
                         uintptr_t sp, uintptr_t cfa) {
    if (native_boundary.by == NATIVE_BOUNDARY_CODE) {
        look->first = look->open - 1;
        return (frame->flags & NATIVE_EVALUATES) != 0 && look->open > 0;
    }
    /* The Python frames of such a mark go with the next. */
    while (is_left(look, sp))
        next_mark(look, look->first);
    return look->address >= sp && look->address < cfa;
}

static void begin(struct look *look, const struct native_stack *native,
                  const char *tstate) {
    look->leaf = native_stack_pointer(native, native->depth - 1);
    look->high = native_stack_pointer(native, 0);
    look->low = look->leaf;
    /* A signal's own stack, above the thread's. */
    for (uint32_t at = 0; look->leaf > look->high && at < native->depth; at++)
        if (stack_pointer(native, at) < look->low)
            look->low = stack_pointer(native, at);
    if (tstate != NULL && native_boundary.tstate_cframe != 0)
        look->cframe = python_pointer_at(tstate, native_boundary.tstate_cframe);
    next_mark(look, look->open);
}

uint32_t native_boundary_assign(struct native_stack *native, uint32_t lowest,
                                const struct python_frame *frames, uint32_t depth,
                                const char *tstate) {
    struct look look = {.frames = frames, .open = depth};
    begin(&look, native, tstate);
    for (uint32_t at = native->depth; at-- > lowest;) {
        struct native_frame *frame = native->frames + at;
        uintptr_t cfa = at > 0 ? stack_pointer(native, at - 1) : UINTPTR_MAX;
        frame->first = frame->end = NATIVE_NO_PYTHON;
        if (!takes_frames(&look, frame, stack_pointer(native, at), cfa))
            continue;
        frame->first = look.first;
        frame->end = look.open;
        look.open = look.first;
        next_mark(&look, look.open);
    }
    return look.open;
}

uint32_t native_boundary_outer(const struct native_stack *native, uint32_t limit,
                               uint32_t first) {
    for (uint32_t at = limit; at-- > 0;)
        if (native->frames[at].first != NATIVE_NO_PYTHON &&
            native->frames[at].first <= first)
            return at;
    return limit;
}
