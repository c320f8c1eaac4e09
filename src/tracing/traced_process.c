/* SPDX-License-Identifier: MIT */
#include "tracing/traced_process.h"

#include "base/lock.h"
#include "base/sys.h"
#include "event/event.h"
#include "event/signal_window.h"
#include "hooks/signal_action.h"

struct traced_process traced_process;
uint32_t tracemalloc_request_signal;

static struct lock lock = {.rank = LOCK_CONTROL};

/* A child for which no handler of pthread_atfork ran still has its parent's tables. */
static void leave_parent(void) {
    traced_process_fork();
    traced_process_forget();
    tracer_unlock();
    lock_release(&lock);
}

struct thread_state *traced_process_lock(void) {
    if (unlikely(gate_is_wiped()))
        leave_parent();
    struct thread_state *self = thread_state_get();
    self->in_tracer = true;
    event_open_window(self);
    lock_take(&lock);
    tracer_lock();
    return self;
}

void traced_process_unlock(struct thread_state *self) {
    tracer_unlock();
    lock_release(&lock);
    self->in_tracer = false;
    if (self->has_deferred)
        event_do_deferred(self);
}

void traced_process_fork(void) {
    biased_lock_fork(&tracer.lock);
    lock_fork(&lock);
    thread_state_fork();
    signal_window_fork();
    signal_action_fork();
    gate_renew();
    traced_process.pid = (uint32_t)sys_getpid();
}

void traced_process_forget(void) {
    gate_close();
    event_file_deferred = false;
    event_path = GATE_SLOW_PATH;
    tracer_deactivate();
    if (tracer.dump == NULL || tracer.dump->header == NULL)
        return;
    event_native_close();
    python_stack_close();
    tracer_close();
}

bool traced_process_is_own(void) {
    if (gate_is_wiped())
        leave_parent();
    return traced_process.pid == (uint32_t)sys_getpid();
}

bool traced_process_owns_dump(void) {
    bool opened = gate.active && signal_window_open(false);
    bool owns = gate.active && tracer.dump->header->pid == (uint32_t)sys_getpid();
    if (opened)
        signal_window_close();
    return owns;
}
