/* SPDX-License-Identifier: MIT */
/* A lock that spins briefly and then sleeps in a futex. No allocation; errno stays as
 * it was.
 *
 * Not for signal handlers, unless the caller knows that its own thread does not hold
 * the lock. A thread takes locks only in the order of their ranks; fork takes all of
 * them in that order.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum lock_rank {
    LOCK_CONTROL = 1, /* start, stop, clear, fork: the life of the tracing */
    LOCK_TRACER = 2,  /* all tables of the tracer, the dump included */
    LOCK_THREADS = 3, /* the pool of thread states */
    LOCK_SIGNALS = 4, /* the actions of signals; all signals are blocked meanwhile */
};

/* state: 0 free, 1 held. Releasing is a plain store, and no exchange that would wait
 * for all stores before it: so the holder may miss a sleeper who comes at that very
 * moment, and sleepers look again after a millisecond. */
struct lock {
    _Atomic uint32_t state;
    _Atomic uint32_t sleepers;
    enum lock_rank rank;
};

void lock_wait(struct lock *lock);
void lock_wake(struct lock *lock);

static inline void lock_take(struct lock *lock) {
    uint32_t expected = 0;
    if (!atomic_compare_exchange_strong_explicit(
            &lock->state, &expected, 1, memory_order_acquire, memory_order_relaxed))
        lock_wait(lock);
}

static inline bool lock_try(struct lock *lock) {
    uint32_t expected = 0;
    return atomic_compare_exchange_strong_explicit(
        &lock->state, &expected, 1, memory_order_acquire, memory_order_relaxed);
}

/* In the child of a fork there is no other thread, and the one that called fork holds
 * the lock. */
static inline void lock_fork(struct lock *lock) {
    lock->state = 1;
    lock->sleepers = 0;
}

static inline void lock_release(struct lock *lock) {
    atomic_store_explicit(&lock->state, 0, memory_order_release);
    if (atomic_load_explicit(&lock->sleepers, memory_order_relaxed) != 0)
        lock_wake(lock);
}
