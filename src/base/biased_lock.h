/* SPDX-License-Identifier: MIT */
/* A lock that the favoured threads take by plain stores while no other thread wants it.
 *
 * Of the favoured threads at most one runs at a time, because each holds another lock:
 * the GIL. While the lock is biased, a favoured thread marks it as held without an
 * atomic operation. Any other thread takes the inner lock and ends the bias: it sets
 * `revoked`, makes the kernel order the stores and loads of all running threads of the
 * process (membarrier(2), Linux 4.14), and waits until no favoured thread holds the
 * lock.
 *
 *    favoured    held = 1;    if (!revoked) enter        else held = 0, lock_take
 *    other       lock_take;   revoked = 1; membarrier;   while (held) wait
 *
 * From then on all threads take the inner lock. The lock is biased again once favoured
 * threads have taken it BIASED_LOCK_STREAK times in a row. So other threads hardly slow
 * the favoured ones, and make a system call only now and then.
 *
 * Allocates nothing; leaves errno unchanged. A favoured thread must not give up the
 * GIL while it holds the lock. In signal handlers the rules of struct lock hold.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/lock.h"

enum { BIASED_LOCK_STREAK = 4096 };

struct biased_lock {
    struct lock lock;         /* the inner lock */
    _Atomic uint32_t held;    /* by a favoured thread, without the inner lock */
    _Atomic bool revoked;     /* true at first; written under the inner lock */
    _Atomic bool is_possible; /* the kernel supports it, and it is not forbidden */
    uint32_t streak;          /* takes by favoured threads; under the inner lock */
};

/* Allows a bias. Once, before there is a second thread. */
void biased_lock_prepare(struct biased_lock *lock);
/* Ends the bias for good: every thread takes the inner lock. */
void biased_lock_forbid(struct biased_lock *lock);

/* Ends the bias for now. The caller holds the inner lock and is not favoured. */
void biased_lock_revoke(struct biased_lock *lock);

/* Whether biased_lock_enter is worth a try. */
static always_inline bool biased_lock_is_biased(const struct biased_lock *lock) {
    return !atomic_load_explicit(&lock->revoked, memory_order_relaxed);
}

/* By a favoured thread. If true, it holds the lock, and biased_lock_leave must
 * follow. */
static always_inline bool biased_lock_enter(struct biased_lock *lock) {
    atomic_store_explicit(&lock->held, 1, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    /* A plain load, so that load and test are one instruction. It need not acquire: the
     * GIL ordered what other favoured threads wrote. */
    if (likely(!*(const bool *)(const void *)&lock->revoked))
        return true;
    atomic_store_explicit(&lock->held, 0, memory_order_release);
    return false;
}

static always_inline void biased_lock_leave(struct biased_lock *lock) {
    atomic_store_explicit(&lock->held, 0, memory_order_release);
}

/* By any thread. biased_lock_release must follow. */
static inline void biased_lock_take(struct biased_lock *lock) {
    lock_take(&lock->lock);
    lock->streak = 0;
    if (unlikely(!atomic_load_explicit(&lock->revoked, memory_order_relaxed)))
        biased_lock_revoke(lock);
}

/* By a favoured thread that holds the inner lock, or in a process of one thread. */
static inline void biased_lock_bias(struct biased_lock *lock) {
    if (atomic_load_explicit(&lock->is_possible, memory_order_relaxed))
        atomic_store_explicit(&lock->revoked, false, memory_order_release);
}

/* By a favoured thread for which biased_lock_enter returned false. */
static inline void biased_lock_take_favoured(struct biased_lock *lock) {
    lock_take(&lock->lock);
    if (unlikely(++lock->streak >= BIASED_LOCK_STREAK))
        biased_lock_bias(lock);
}

static inline void biased_lock_release(struct biased_lock *lock) {
    lock_release(&lock->lock);
}

/* In a forked child, whose only thread holds the lock. */
static inline void biased_lock_fork(struct biased_lock *lock) {
    lock_fork(&lock->lock);
    lock->held = 0;
}
