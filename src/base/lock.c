/* SPDX-License-Identifier: MIT */
#include "base/lock.h"

#include <linux/futex.h>
#include <stddef.h>

#include "base/sys.h"

/* A critical section of the tracer takes well under a microsecond. */
enum { LOCK_SPINS = 200 };

void lock_wait(struct lock *lock) {
    for (int spin = 0; spin < LOCK_SPINS; spin++) {
        if (atomic_load_explicit(&lock->state, memory_order_relaxed) == 0 &&
            lock_try(lock))
            return;
        __builtin_ia32_pause();
    }
    while (atomic_exchange_explicit(&lock->state, 2, memory_order_acquire) != 0)
        sys_call(SYS_futex, &lock->state, FUTEX_WAIT_PRIVATE, 2, NULL, NULL, 0);
}

void lock_wake(struct lock *lock) {
    sys_call(SYS_futex, &lock->state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}
