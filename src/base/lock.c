/* SPDX-License-Identifier: MIT */
#include "base/lock.h"

#include <linux/futex.h>
#include <stddef.h>
#include <time.h>

#include "base/machine.h"
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
