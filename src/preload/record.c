/* SPDX-License-Identifier: MIT */
#include "preload/record.h"

static const void *const never_finalizing;

struct record_python record_python = {.finalizing = &never_finalizing};
uintptr_t record_last_block;
bool record_open;
bool record_asleep;
bool (*record_wake)(void);
void (*record_request)(void);

void record_finalizing(void) {
    record_python.finalizing = &never_finalizing;
    if (tracer.active)
        tracer_freeze();
}

/* The interrupted code may hold the lock: the header is written later. */
void record_lost_nested(struct thread_state *self) {
    self->lost++;
    self->put_off = true;
}

/* The slot cannot be emptied here, for the interrupted code may be at work on it. */
void record_defer(struct thread_state *self, uintptr_t block) {
    self->put_off = true;
    if (self->deferred_count < THREAD_STATE_DEFERRED)
        self->deferred[self->deferred_count++] = block;
    else
        self->lost++;
}

static void tell_lost(struct thread_state *self) {
    bool locked = record_enter(self);
    if (tracer.active)
        tracer.dump->header->lost[TRACEMALLOC_DUMP_LOST_NESTED] += self->lost;
    self->lost = 0;
    tracer_leave(locked);
    self->inside = false;
}

void record_deferred(struct thread_state *self) {
    self->put_off = false;
    while (self->deferred_count > 0) {
        uintptr_t block = self->deferred[--self->deferred_count];
        record_remove((const void *)block);
    }
    if (self->lost > 0)
        tell_lost(self);
    if (self->request_put_off) {
        self->request_put_off = false;
        record_request();
    }
}
