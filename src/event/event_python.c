/* SPDX-License-Identifier: MIT */
#include "event/event_python.h"

#include "event/signal_window.h"
#include "trace/tracer.h"

static const void *const never_finalizing;

struct event_python event_python = {.finalizing = &never_finalizing};

void event_python_never_finalizing(void) {
    event_python.finalizing = &never_finalizing;
}

void event_python_find_current(struct thread_state *self) {
    if (event_python.current_offset != 0)
        self->current = (const void *)((const char *)__builtin_thread_pointer() +
                                       event_python.current_offset);
    else if (event_python.current_tstate != NULL)
        self->current = (const void *)event_python.current_tstate;
}

/* From 3.12 on an interpreter may have a GIL of its own. A thread that has a current
 * state holds the GIL of that state's interpreter. */
static bool is_of_main_interpreter(const char *tstate) {
    if (event_python.interpreter_of == NULL)
        return true;
    if (event_python.interpreter_of((void *)(uintptr_t)tstate) ==
        event_python.main_interpreter())
        return true;
    biased_lock_forbid(&tracer.lock);
    return false;
}

static bool has_gil(const struct thread_state *self, const char *tstate) {
    if (tstate == NULL || self->ended)
        return false;
    if (!event_python.thread_local_current && event_python.this_thread() != tstate)
        return false;
    return is_of_main_interpreter(tstate);
}

/* A signal handler may make the window needed again, and then resets the owner: so the
 * owner is set first and the window checked afterwards. */
bool event_python_check_gil(struct thread_state *self) {
    const char *tstate = event_python.enabled ? event_python_current() : NULL;
    if (!has_gil(self, tstate))
        return false;
    if (self->current == &thread_state_nowhere)
        event_python_find_current(self);
    self->owner = tstate;
    atomic_signal_fence(memory_order_seq_cst);
    if (!signal_window_needless)
        self->owner = THREAD_STATE_NO_OWNER;
    if (tracer_is_alone())
        biased_lock_bias(&tracer.lock);
    return true;
}
