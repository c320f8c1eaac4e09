/* SPDX-License-Identifier: MIT */
#include "base/biased_lock.h"

#include <linux/futex.h>
#include <linux/membarrier.h>
#include <stddef.h>
#include <time.h>

#include "base/machine.h"
#include "base/sys.h"

enum { SPINS = 200 };

void biased_lock_prepare(struct biased_lock *lock) {
    lock->is_possible =
        !sys_confined &&
        sys_call(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
}

void biased_lock_forbid(struct biased_lock *lock) {
    lock->is_possible = false;
}

static void sleep_on(_Atomic uint32_t *word, uint32_t value, long nanoseconds) {
    const struct timespec time = {0, nanoseconds};
    sys_call(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, &time, NULL, 0);
}

/* A child of fork may have to register again. */
static bool order_by_kernel(void) {
    enum {
        REGISTER = MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED,
        ORDER = MEMBARRIER_CMD_PRIVATE_EXPEDITED
    };
    if (sys_confined)
        return false;
    return sys_call(SYS_membarrier, ORDER, 0, 0) == 0 ||
           (sys_call(SYS_membarrier, REGISTER, 0, 0) == 0 &&
            sys_call(SYS_membarrier, ORDER, 0, 0) == 0);
}

/* Without the system call, which a filter may have forbidden meanwhile, time alone
 * makes a store visible. Then there is no bias again. */
static void order_all_threads(struct biased_lock *lock) {
    static _Atomic uint32_t nothing;
    enum { LONG_ENOUGH = 20000000 }; /* ns */
    if (order_by_kernel())
        return;
    biased_lock_forbid(lock);
    sleep_on(&nothing, 0, LONG_ENOUGH);
}

cold_path void biased_lock_revoke(struct biased_lock *lock) {
    enum { MILLISECOND = 1000000 }; /* ns */
    atomic_store(&lock->revoked, true);
    order_all_threads(lock);
    for (int spin = 0; spin < SPINS; spin++) {
        if (atomic_load_explicit(&lock->held, memory_order_acquire) == 0)
            return;
        machine_pause();
    }
    while (atomic_load_explicit(&lock->held, memory_order_acquire) != 0)
        sleep_on(&lock->held, 1, MILLISECOND);
}
