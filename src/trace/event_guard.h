/* SPDX-License-Identifier: MIT */
/* Proof that the calling thread may touch the tables: it is marked as in the tracer, so
 * that nothing it does is an event, and holds the tracer's lock unless the process has
 * one thread. The holder of the GIL has the lock without taking what is inside it, as
 * long as no other thread wants it: see base/biased_lock.h.
 *
 * event_begin gives it, and every function that an event calls on the tables takes it.
 * It is a value of two registers, which the fast path keeps in none.
 */
#pragma once

#include <assert.h>
#include <stdbool.h>

#include "base/compiler.h"
#include "base/lock.h"

struct thread_state;

enum event_lock {
    EVENT_ONE_THREAD, /* the process has no other */
    EVENT_BIASED,     /* the thread holds the lock by the GIL's bias */
    EVENT_LOCKED,     /* the thread holds the lock */
};

struct event_guard {
    struct thread_state *thread; /* that is in the tracer */
    enum event_lock lock;
};

static always_inline void event_guard_check(struct event_guard guard) {
    (void)guard;
    assert(guard.lock != EVENT_LOCKED || lock_is_held(LOCK_TRACER));
}
