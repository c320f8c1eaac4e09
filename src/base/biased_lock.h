/* SPDX-License-Identifier: MIT */
/* A lock that one party takes by plain stores while no other wants it.
 *
 * The favoured party are threads of which at most one runs at a time, because another
 * lock, which they hold, sees to that: the GIL. As long as the lock is biased they mark
 * it as held without an atomic operation. Any other thread takes the lock inside and
 * ends the bias: it sets `revoked`, has the kernel make each running thread of the
 * process order its stores and loads (membarrier(2), Linux 4.14), and waits until the
 * favoured thread is out.
 *
 *    favoured    held = 1;    if (!revoked) enter        else held = 0, lock_take
 *    other       lock_take;   revoked = 1; membarrier;   while (held) wait
 *
 * From then on all take the lock inside. It is biased again once the favoured party has
 * taken it BIASED_LOCK_STREAK times without another in between. So the others cost the
 * favoured little, and themselves a system call only now and then.
 *
 * Nothing here allocates; errno stays as it was. A thread of the favoured party that
 * holds the lock must not give the other lock up. For signal handlers the same holds as
 * for a struct lock.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/lock.h"

enum { BIASED_LOCK_STREAK = 4096 };

struct biased_lock {
    struct lock lock;
    _Atomic uint32_t held;    /* by the favoured party, without the lock inside */
    _Atomic bool revoked;     /* true to begin with; written with the lock inside */
    _Atomic bool is_possible; /* the kernel has what it takes */
    uint32_t streak;          /* of the favoured party; protected by the lock inside */
};

/* Allows a bias. Once, before there is a second thread. */
void biased_lock_prepare(struct biased_lock *lock);
/* There is no favoured party any more: each thread takes the lock inside. */
void biased_lock_forbid(struct biased_lock *lock);

/* Called with the lock inside, by a thread that is not of the favoured party. */
void biased_lock_revoke(struct biased_lock *lock);

/* Whether biased_lock_enter is worth a try. */
static always_inline bool biased_lock_is_biased(const struct biased_lock *lock) {
    return !atomic_load_explicit(&lock->revoked, memory_order_relaxed);
}

/* By the favoured party: whether the lock is held now, to be left by
 * biased_lock_leave. */
static always_inline bool biased_lock_enter(struct biased_lock *lock) {
    atomic_store_explicit(&lock->held, 1, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    /* A plain load, which the compiler makes one instruction of with the test. What the
     * tables hold came with the other lock. */
    if (likely(!*(const bool *)(const void *)&lock->revoked))
        return true;
    atomic_store_explicit(&lock->held, 0, memory_order_release);
    return false;
}

static always_inline void biased_lock_leave(struct biased_lock *lock) {
    atomic_store_explicit(&lock->held, 0, memory_order_release);
}

/* Any thread. To be released by biased_lock_release. */
static inline void biased_lock_take(struct biased_lock *lock) {
    lock_take(&lock->lock);
    lock->streak = 0;
    if (unlikely(!atomic_load_explicit(&lock->revoked, memory_order_relaxed)))
        biased_lock_revoke(lock);
}

/* By the favoured party, which is the only one to get it in this way. */
static inline void biased_lock_bias(struct biased_lock *lock) {
    if (atomic_load_explicit(&lock->is_possible, memory_order_relaxed))
        atomic_store_explicit(&lock->revoked, false, memory_order_release);
}

/* By the favoured party, where biased_lock_enter says false. */
static inline void biased_lock_take_favoured(struct biased_lock *lock) {
    lock_take(&lock->lock);
    if (unlikely(++lock->streak >= BIASED_LOCK_STREAK))
        biased_lock_bias(lock);
}

static inline void biased_lock_release(struct biased_lock *lock) {
    lock_release(&lock->lock);
}

/* In the child of a fork: the calling thread, which is the only one, holds the lock. */
static inline void biased_lock_fork(struct biased_lock *lock) {
    lock_fork(&lock->lock);
    lock->held = 0;
}
