/* SPDX-License-Identifier: MIT */
#include "tracing/fork_handlers.h"

#include "base/sys.h"
#include "dump/dump_census.h"
#include "dump/dump_fork.h"
#include "event/event.h"
#include "tracing/dump_header.h"
#include "tracing/dump_output.h"
#include "tracing/traced_process.h"

enum { DEFERRED_EVENTS = 16 };

/* In a child that has no file yet: the call whose events create none. First the forking
 * call, then the one after it. */
static struct python_place fork_call;
/* Events that the second of them may still have; 0: it is the first. */
static uint32_t events_left;
static uint32_t child_pid;
/* Of the process that forks. Protected by the locks that are held meanwhile. */
static bool was_active, was_asleep;

static const char *own_tstate(void) {
    return event_python.enabled ? traced_process.runtime->this_thread() : NULL;
}

static void get_file(void) {
    struct thread_state *self = traced_process_lock();
    if (event_file_deferred) {
        dump_header_describe_process();
        dump_output_attach();
        event_file_deferred = false;
        gate_open(event_path, tracer.sample_distance != 0);
    }
    traced_process_unlock(self);
}

/* A child's dump file is created lazily: allocations inside the forking call, and up to
 * DEFERRED_EVENTS in the next one, are counted without creating it, so that a child
 * that only calls exec or _exit leaves none. */
static bool is_deferred(void) {
    const char *tstate = own_tstate();
    if (tstate == NULL || fork_call.frame == NULL)
        return false;
    if (python_stack_is_within(tstate, &fork_call))
        return events_left == 0 || --events_left > 0;
    if (events_left != 0)
        return false;
    events_left = DEFERRED_EVENTS;
    fork_call = python_stack_place(tstate);
    return true;
}

void fork_handlers_end(void) {
    const char *tstate = own_tstate();
    bool is_own = event_file_deferred && (uint32_t)sys_getpid() == child_pid;
    if (is_own && events_left != 0 &&
        (tstate == NULL || !python_stack_is_within(tstate, &fork_call)))
        get_file();
}

void fork_handlers_keep(void) {
    bool is_own = event_file_deferred && (uint32_t)sys_getpid() == child_pid;
    const char *tstate = is_own ? own_tstate() : NULL;
    if (is_own && !thread_state_get()->in_tracer &&
        (events_left != 0 || tstate == NULL ||
         !python_stack_is_within(tstate, &fork_call)))
        get_file();
}

static bool create_file_if_due(void) {
    struct thread_state *self = thread_state_own;
    /* Before the handler in the child: it is inside. Without a handler: not traced. */
    if (gate_is_wiped())
        return self != &thread_state_none && self->in_tracer;
    self = thread_state_get();
    if (!self->in_tracer && !self->in_allocator && !is_deferred())
        get_file();
    return true;
}

void fork_handlers_before(void) {
    struct thread_state *self = traced_process_lock();
    was_active = gate.active;
    was_asleep = event_file_deferred;
    event_create_file = create_file_if_due;
    /* In the child the gate is closed at once: until its handler runs, frees are
     * deferred and blocks counted as lost. */
    event_file_deferred = was_active;
    if (!was_active || !traced_process.options->follow_fork)
        return;
    const char *tstate = self->ended ? NULL : own_tstate();
    fork_call = tstate != NULL ? python_stack_place(tstate) : (struct python_place){0};
    events_left = 0;
    dump_fork_before(tracer.dump);
}

void fork_handlers_in_parent(void) {
    if (was_active && traced_process.options->follow_fork)
        dump_fork_in_parent(tracer.dump);
    event_file_deferred = was_asleep;
    traced_process_unlock(thread_state_get());
}

/* The other threads are gone, and with them whoever waited for a lock. */
void fork_handlers_in_child(void) {
    traced_process_fork();
    if (was_active &&
        (!traced_process.options->follow_fork || dump_fork_in_child(tracer.dump) < 0))
        traced_process_forget();
    else if (was_active) {
        tracer_activate();
        dump_census_drop(tracer.dump);
        /* Not this process's: nothing of the parent's end or exec may be written
         * here. */
        tracer.dump->header->pid = 0;
        child_pid = (uint32_t)sys_getpid();
    }
    traced_process_unlock(thread_state_get());
}
