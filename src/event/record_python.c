/* SPDX-License-Identifier: MIT */
#include "event/record_python.h"

static const void *const never_finalizing;

struct record_python record_python = {.finalizing = &never_finalizing};

void record_python_never_finalizing(void) {
    record_python.finalizing = &never_finalizing;
}

/* With a leaf it is known how to find it. */
void record_python_place(struct thread_state *self) {
    static const char *const nowhere;
    if (self->python.leaf == NULL)
        return;
    if (record_python.current_offset != 0)
        self->current = (const void *)((const char *)__builtin_thread_pointer() +
                                       record_python.current_offset);
    else if (record_python.current_tstate != NULL)
        self->current = (const void *)record_python.current_tstate;
    else
        self->current = &nowhere;
}
