/* SPDX-License-Identifier: MIT */
/* A lock that spins briefly and then sleeps in a futex. No allocation; errno stays as
 * it was.
 *
 * Not for signal handlers, unless the caller knows that its own thread does not hold
 * the lock. A thread takes locks only in ascending order of their ranks, which
 * developer builds check. The thread that forks holds LOCK_CONTROL and LOCK_TRACER; the
 * child resets the others, whose holders may be threads that it does not have.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

enum lock_rank {
    LOCK_CONTROL = 1,  /* start, stop, clear, fork: the life of the tracing */
    LOCK_TRACER = 2,   /* all tables of the tracer, the dump included */
    LOCK_THREADS = 3,  /* the pool of thread states */
    LOCK_SIGNALS = 4,  /* the actions of signals; all signals are blocked meanwhile */
    LOCK_REQUESTS = 5, /* the queue of requests; all signals are blocked meanwhile */
    LOCK_SLOTS = 6,    /* other objects' slots; all signals are blocked meanwhile */
};

/* state: 0 free, 1 held. lock_release stores it plainly; an exchange would wait for all
 * earlier stores. So the holder may miss a thread that goes to sleep at that moment,
 * and sleepers try again after a millisecond. */
struct lock {
    _Atomic uint32_t state;
    _Atomic uint32_t sleepers;
    enum lock_rank rank;
};

void lock_wait(struct lock *lock);
void lock_wake(struct lock *lock);

/* In developer builds: ends the process, with one line, if the calling thread holds a
 * lock of this rank or a higher one. */
void lock_check_order(const struct lock *lock);
/* In developer builds: the calling thread holds the lock from now on, or no more. */
void lock_set_held(const struct lock *lock, bool held);
/* Whether the calling thread holds a lock of this rank. Only in developer builds. */
bool lock_is_held(enum lock_rank rank);

static inline bool lock_try(struct lock *lock) {
    uint32_t expected = 0;
    bool taken = atomic_compare_exchange_strong_explicit(
        &lock->state, &expected, 1, memory_order_acquire, memory_order_relaxed);
    if (DEVELOPER_BUILD && taken)
        lock_set_held(lock, true);
    return taken;
}

static inline void lock_take(struct lock *lock) {
    if (DEVELOPER_BUILD)
        lock_check_order(lock);
    if (!lock_try(lock))
        lock_wait(lock);
}

/* In the child of a fork there is no other thread: the calling thread holds the lock
 * from now on, whoever held it in the parent. */
static inline void lock_fork(struct lock *lock) {
    lock->state = 1;
    lock->sleepers = 0;
    if (DEVELOPER_BUILD)
        lock_set_held(lock, true);
}

static inline void lock_release(struct lock *lock) {
    if (DEVELOPER_BUILD)
        lock_set_held(lock, false);
    atomic_store_explicit(&lock->state, 0, memory_order_release);
    if (atomic_load_explicit(&lock->sleepers, memory_order_relaxed) != 0)
        lock_wake(lock);
}
