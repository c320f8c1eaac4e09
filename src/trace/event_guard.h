/* SPDX-License-Identifier: MIT */
/* Proof that the calling thread may touch the tables: it is marked as in the tracer, so
 * that nothing it does is an event, and holds the tracer's lock unless the process has
 * one thread. The holder of the GIL holds the lock without an atomic operation while no
 * other thread wants it: see base/biased_lock.h.
 *
 * event_begin returns it, and every function that an event calls on the tables takes
 * it. It fits in two registers; on the fast path it costs nothing.
 */
#pragma once

#include <assert.h>
#include <stdbool.h>

#include "base/compiler.h"
#include "base/lock.h"

struct thread_state;

enum event_lock {
    EVENT_ONE_THREAD, /* the process has one thread; it holds no lock */
    EVENT_BIASED,     /* the thread holds the lock through its bias to the GIL */
    EVENT_LOCKED,     /* the thread holds the lock itself */
};

struct event_guard {
    struct thread_state *thread; /* the calling thread; NULL in tests */
    enum event_lock lock;
};

static always_inline void event_guard_check(struct event_guard guard) {
    (void)guard;
    assert(guard.lock != EVENT_LOCKED || lock_is_held(LOCK_TRACER));
}
