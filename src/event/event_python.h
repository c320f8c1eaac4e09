/* SPDX-License-Identifier: MIT */
/* The Python frames of an event: finds the thread's PyThreadState and walks its frames.
 *
 * For a thread that is in the tracer. event_python is written before tracing begins.
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

struct event_python {
    bool enabled; /* there are Python frames to walk */
    /* Never NULL; points to a non-NULL pointer once the runtime is finalizing. */
    const void *const *finalizing;
    /* The current PyThreadState is a variable of each thread (3.12 and later), not one
     * of the process. */
    bool thread_local_current;
    /* Address of the process's variable; NULL if it is unknown. */
    void *const *current_tstate;
    /* Bytes from the thread pointer to the thread's variable; 0 if unknown. */
    ptrdiff_t current_offset;
    void *(*get_current)(void); /* used if neither variable is found */
    void *(*this_thread)(void); /* this thread's PyThreadState, also without the GIL */
    /* Both are NULL before 3.12. */
    void *(*interpreter_of)(void *tstate);
    void *(*main_interpreter)(void);
};

extern internal struct event_python event_python;

/* Stops watching `finalizing`. */
void event_python_never_finalizing(void);
/* Sets the thread's `current`, before it has its first Python frame. */
void event_python_find_current(struct thread_state *self);
/* Whether the thread holds the GIL that all Python threads share; if so, sets its
 * `owner`. If the process may have several GILs, forbids the lock's bias for good. */
bool event_python_check_gil(struct thread_state *self);

/* The PyThreadState that holds the GIL; from 3.12 on this thread's own if it does. */
static always_inline const char *event_python_current(void) {
    if (event_python.current_offset != 0)
        return *(const char *const *)((const char *)__builtin_thread_pointer() +
                                      event_python.current_offset);
    return event_python.current_tstate != NULL ? *event_python.current_tstate
                                               : event_python.get_current();
}

/* The calling thread's PyThreadState, or NULL. */
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

/* Captures the thread's Python stack. `tstate` may be NULL: then the stack is empty. */
static always_inline uint32_t event_python_capture(struct thread_state *self,
                                                   const char *tstate) {
    uint32_t stack =
        likely(tstate != NULL) ? python_stack_capture(&self->python, tstate) : 0;
    if (unlikely(self->current == &thread_state_nowhere))
        event_python_find_current(self);
    return stack;
}
