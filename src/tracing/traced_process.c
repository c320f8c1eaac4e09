/* SPDX-License-Identifier: MIT */
#include "tracing/traced_process.h"

#include "base/lock.h"
#include "base/sys.h"
#include "event/record.h"

struct traced_process traced_process;

static struct lock lock = {.rank = LOCK_CONTROL};

struct thread_state *traced_process_lock(void) {
    struct thread_state *self = thread_state_get();
    self->inside = true;
    lock_take(&lock);
    lock_take(&tracer.lock);
    return self;
}

void traced_process_unlock(struct thread_state *self) {
    lock_release(&tracer.lock);
    lock_release(&lock);
    self->inside = false;
    if (self->put_off)
        record_deferred(self);
}

void traced_process_fork(void) {
    lock_fork(&tracer.lock);
    lock_fork(&lock);
}

bool traced_process_owns_dump(void) {
    return tracer.active && tracer.dump->header->pid == (uint32_t)sys_getpid();
}
