/* SPDX-License-Identifier: MIT */
/* Proof that the calling thread may touch the tables: it is marked as in the tracer, so
 * that nothing it does is an event, and holds the tracer's lock unless the process has
 * one thread.
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

struct event_guard {
    struct thread_state *thread; /* that is in the tracer */
    bool locked;                 /* the thread holds the tracer's lock */
};

static always_inline void event_guard_check(struct event_guard guard) {
    (void)guard;
    assert(!guard.locked || lock_is_held(LOCK_TRACER));
}
