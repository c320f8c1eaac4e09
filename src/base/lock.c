/* SPDX-License-Identifier: MIT */
#include "base/lock.h"

#include <linux/futex.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include "base/machine.h"
#include "base/message.h"
#include "base/sys.h"

/* A critical section of the tracer takes well under a microsecond. */
enum { LOCK_SPINS = 200 };

void lock_wait(struct lock *lock) {
    for (int spin = 0; spin < LOCK_SPINS; spin++) {
        if (atomic_load_explicit(&lock->state, memory_order_relaxed) == 0 &&
            lock_try(lock))
            return;
        machine_pause();
    }
    static const struct timespec millisecond = {0, 1000000};
    atomic_fetch_add(&lock->sleepers, 1);
    while (!lock_try(lock))
        sys_call(SYS_futex, &lock->state, FUTEX_WAIT_PRIVATE, 1, &millisecond, NULL, 0);
    atomic_fetch_sub(&lock->sleepers, 1);
}

void lock_wake(struct lock *lock) {
    sys_call(SYS_futex, &lock->state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/* Bit N: the thread holds a lock of rank N. */
static thread_local_fixed uint32_t held_ranks;

void lock_check_order(const struct lock *lock) {
    char rank[21], held[21];
    if (lock->rank >= LOCK_CONTROL && held_ranks >> lock->rank == 0)
        return;
    message_quiet(false);
    message("a lock of rank ", message_number(rank, lock->rank),
            " is taken while the thread holds those of mask ",
            message_number(held, held_ranks), NULL);
    abort();
}

void lock_set_held(const struct lock *lock, bool held) {
    uint32_t bit = UINT32_C(1) << lock->rank;
    held_ranks = held ? held_ranks | bit : held_ranks & ~bit;
}

bool lock_is_held(enum lock_rank rank) {
    return (held_ranks >> rank & 1) != 0;
}
