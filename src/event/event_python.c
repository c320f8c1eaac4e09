/* SPDX-License-Identifier: MIT */
#include "event/event_python.h"

static const void *const never_finalizing;

struct event_python event_python = {.finalizing = &never_finalizing};

void event_python_never_finalizing(void) {
    event_python.finalizing = &never_finalizing;
}

/* With a leaf it is known how to find it. */
void event_python_find_current(struct thread_state *self) {
    static const char *const nowhere;
    if (self->python.leaf == NULL)
        return;
    if (event_python.current_offset != 0)
        self->current = (const void *)((const char *)__builtin_thread_pointer() +
                                       event_python.current_offset);
    else if (event_python.current_tstate != NULL)
        self->current = (const void *)event_python.current_tstate;
    else
        self->current = &nowhere;
}
