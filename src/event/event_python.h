/* SPDX-License-Identifier: MIT */
/* The Python frames of an event: how to find the thread's state, and the walk.
 *
 * By a thread inside the tracer; event_python is written before tracing begins.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/thread_state.h"
#include "stack/python/python_stack.h"

/* Where the Python frames of an event come from. */
enum event_gil {
    EVENT_WITH_GIL, /* the caller holds the GIL: the current thread state is its own */
    EVENT_ANY_THREAD, /* any thread, with or without the GIL */
};

/* How to find the thread state; written before tracing begins. */
struct event_python {
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
    void *(*interpreter_of)(void *tstate); /* NULL before 3.12, as the next */
    void *(*main_interpreter)(void);
};

extern internal struct event_python event_python;

/* From now on the runtime counts as not finalizing. */
void event_python_never_finalizing(void);
/* Sets `current`, which a thread needs from its first leaf on. */
void event_python_find_current(struct thread_state *self);
/* Whether the thread holds the GIL that all Python threads share; notes it in `owner`.
 * Where there may be more than one GIL, it is nobody's for good. */
bool event_python_check_gil(struct thread_state *self);

/* From 3.12 on the current thread state is a thread-local variable of the interpreter,
 * at a fixed distance from the thread pointer where that was found out. */
static always_inline const char *event_python_current(void) {
    if (event_python.current_offset != 0)
        return *(const char *const *)((const char *)__builtin_thread_pointer() +
                                      event_python.current_offset);
    return event_python.current_tstate != NULL ? *event_python.current_tstate
                                               : event_python.get_current();
}

static always_inline const char *event_python_tstate(struct thread_state *self,
                                                     enum event_gil gil) {
    const char *current = event_python_current();
    if (gil == EVENT_WITH_GIL)
        return current;
    if (current != NULL &&
        (event_python.thread_local_current || current == self->tstate))
        return current;
    return self->tstate = event_python.this_thread();
}

/* The node of the thread's Python stack; `tstate` may be NULL. */
static always_inline uint32_t event_python_capture(struct thread_state *self,
                                                   const char *tstate) {
    uint32_t stack =
        likely(tstate != NULL) ? python_stack_capture(&self->python, tstate) : 0;
    if (unlikely(self->current == &thread_state_nowhere))
        event_python_find_current(self);
    return stack;
}
