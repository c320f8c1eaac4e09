/* SPDX-License-Identifier: MIT */
/* The Python frames of an event: how to find the thread's state, and the walk.
 *
 * By a thread inside the tracer; record_python is written before tracing begins.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/thread_state.h"
#include "stack/python/python_stack.h"

/* Where the Python frames of an event come from. */
enum record_stack {
    RECORD_WITH_GIL, /* the caller holds the GIL: the current thread state is its own */
    RECORD_ANY,      /* any thread, with or without the GIL */
};

/* How to find the thread state; written before tracing begins. */
struct record_python {
    bool enabled; /* there are Python frames to walk */
    const void *const
        *finalizing; /* non-NULL there: the runtime is finalizing; never NULL itself */
    /* From 3.12 on: get_current answers for this thread alone. */
    bool thread_local_current;
    /* Where the holder of the GIL is; NULL: ask get_current. */
    void *const *current_tstate;
    ptrdiff_t current_offset; /* of the variable from the thread pointer; 0: unknown */
    void *(*get_current)(void);
    void *(*this_thread)(void);
};

extern internal struct record_python record_python;

/* From now on the runtime counts as not finalizing. */
void record_python_never_finalizing(void);
/* Sets `current`, which a thread needs from its first leaf on. */
void record_python_place(struct thread_state *self);

/* From 3.12 on the current thread state is a thread-local variable of the interpreter,
 * at a fixed distance from the thread pointer where that was found out. */
static always_inline const char *record_python_current(void) {
    if (record_python.current_offset != 0)
        return *(const char *const *)((const char *)__builtin_thread_pointer() +
                                      record_python.current_offset);
    return record_python.current_tstate != NULL ? *record_python.current_tstate
                                                : record_python.get_current();
}

static always_inline const char *record_python_tstate(struct thread_state *self,
                                                      enum record_stack how) {
    const char *current = record_python_current();
    if (how == RECORD_WITH_GIL)
        return current;
    if (current != NULL &&
        (record_python.thread_local_current || current == self->tstate))
        return current;
    return self->tstate = record_python.this_thread();
}

/* The node of the thread's Python stack; `tstate` may be NULL. */
static always_inline uint32_t record_python_capture(struct thread_state *self,
                                                    const char *tstate) {
    uint32_t stack =
        likely(tstate != NULL) ? python_stack_capture(&self->python, tstate) : 0;
    if (unlikely(self->current == NULL))
        record_python_place(self);
    return stack;
}
