/* SPDX-License-Identifier: MIT */
#include "base/lock.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "suite.h"

enum { THREADS = 4, ROUNDS = 50000 };

static struct lock lock = {.rank = LOCK_TRACER};
static volatile uint64_t counter; /* protected by lock */
static _Atomic bool passed;

static void *count(void *argument) {
    for (int round = 0; round < ROUNDS; round++) {
        lock_take(&lock);
        counter++;
        lock_release(&lock);
    }
    return argument;
}

START_TEST(one_thread_at_a_time) {
    pthread_t threads[THREADS];
    for (int at = 0; at < THREADS; at++)
        ck_assert_int_eq(pthread_create(&threads[at], NULL, count, NULL), 0);
    for (int at = 0; at < THREADS; at++)
        pthread_join(threads[at], NULL);
    ck_assert_uint_eq(counter, (uint64_t)THREADS * ROUNDS);
    ck_assert_uint_eq(lock.state, 0);
}
END_TEST

START_TEST(a_try_does_not_wait) {
    ck_assert(lock_try(&lock));
    ck_assert(!lock_try(&lock));
    lock_release(&lock);
    ck_assert(lock_try(&lock));
}
END_TEST

static void *wait_for_it(void *argument) {
    lock_take(&lock);
    passed = true;
    lock_release(&lock);
    return argument;
}

START_TEST(who_sleeps_is_woken) {
    pthread_t threads[THREADS];
    errno = EXDEV;
    lock_take(&lock);
    for (int at = 0; at < THREADS; at++)
        ck_assert_int_eq(pthread_create(&threads[at], NULL, wait_for_it, NULL), 0);
    while (lock.sleepers != THREADS)
        usleep(1000);
    usleep(20000);
    ck_assert(!passed);
    lock_release(&lock);
    for (int at = 0; at < THREADS; at++)
        pthread_join(threads[at], NULL);
    ck_assert(passed);
    ck_assert_int_eq(errno, EXDEV);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {one_thread_at_a_time, a_try_does_not_wait,
                                  who_sleeps_is_woken};
    return suite_run("lock", tests, sizeof tests / sizeof *tests);
}
