/* SPDX-License-Identifier: MIT */
#include "base/biased_lock.h"

#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/sys.h"
#include "suite.h"

enum { FAVOURED = 3, OTHERS = 2, ROUNDS = 400000, RARE = 2000 };

static struct biased_lock lock = {.lock = {.rank = LOCK_TRACER}, .revoked = true};
static pthread_mutex_t gil = PTHREAD_MUTEX_INITIALIZER;
/* Protected by the lock. Not atomic, and far apart, as counters in tables are. */
static volatile uint64_t count, mirror[1024];
static uint64_t entered; /* by the bias; protected by the gil */

static void work(void) {
    uint64_t now = count;
    ck_assert_uint_eq(mirror[1023], now);
    count = now + 1;
    mirror[1023] = now + 1;
}

static void work_favoured(void) {
    if (biased_lock_is_biased(&lock) && biased_lock_enter(&lock)) {
        entered++;
        work();
        biased_lock_leave(&lock);
        return;
    }
    biased_lock_take_favoured(&lock);
    work();
    biased_lock_release(&lock);
}

static void work_other(void) {
    biased_lock_take(&lock);
    work();
    biased_lock_release(&lock);
}

/* The holder of a GIL keeps it for a while. */
static void *favoured(void *argument) {
    for (int round = 0; round < ROUNDS; round += 100) {
        pthread_mutex_lock(&gil);
        for (int at = 0; at < 100; at++)
            work_favoured();
        pthread_mutex_unlock(&gil);
    }
    return argument;
}

static void *often(void *argument) {
    for (int round = 0; round < ROUNDS; round++)
        work_other();
    return argument;
}

static void *now_and_then(void *argument) {
    static const struct timespec pause = {0, 100000};
    for (int round = 0; round < RARE; round++) {
        work_other();
        nanosleep(&pause, NULL);
    }
    return argument;
}

static void run(void *(*other)(void *), unsigned others) {
    pthread_t threads[FAVOURED + OTHERS];
    unsigned started = 0;
    while (started < FAVOURED)
        ck_assert_int_eq(pthread_create(&threads[started++], NULL, favoured, NULL), 0);
    for (unsigned at = 0; at < others; at++)
        ck_assert_int_eq(pthread_create(&threads[started++], NULL, other, NULL), 0);
    while (started > 0)
        pthread_join(threads[--started], NULL);
}

START_TEST(nothing_is_lost_if_others_come_often) {
    biased_lock_prepare(&lock);
    run(often, OTHERS);
    ck_assert_uint_eq(count, (FAVOURED + OTHERS) * (uint64_t)ROUNDS);
}
END_TEST

START_TEST(nothing_is_lost_if_others_come_now_and_then) {
    biased_lock_prepare(&lock);
    run(now_and_then, OTHERS);
    ck_assert_uint_eq(count, FAVOURED * (uint64_t)ROUNDS + OTHERS * (uint64_t)RARE);
    ck_assert_uint_gt(entered, 0);
}
END_TEST

/* But for the streak that leads to the bias. */
START_TEST(alone_the_favoured_take_nothing) {
    biased_lock_prepare(&lock);
    if (!lock.is_possible) {
        suite_skip("the kernel has no membarrier");
        return;
    }
    run(NULL, 0);
    ck_assert_uint_eq(count, FAVOURED * (uint64_t)ROUNDS);
    ck_assert_uint_eq(entered, count - BIASED_LOCK_STREAK);
}
END_TEST

START_TEST(another_ends_the_bias) {
    biased_lock_prepare(&lock);
    for (unsigned at = 0; at < BIASED_LOCK_STREAK; at++)
        work_favoured();
    ck_assert(biased_lock_is_biased(&lock) || !lock.is_possible);
    work_other();
    ck_assert(!biased_lock_is_biased(&lock));
    ck_assert(!biased_lock_enter(&lock));
    ck_assert_uint_eq(lock.held, 0);
    for (unsigned at = 1; at < BIASED_LOCK_STREAK; at++)
        work_favoured();
    ck_assert(!biased_lock_is_biased(&lock));
}
END_TEST

/* A thread that is in, and is slow. */
static void *slow(void *argument) {
    static const struct timespec pause = {0, 50000000};
    ck_assert(biased_lock_enter(&lock));
    *(_Atomic bool *)argument = true;
    nanosleep(&pause, NULL);
    work();
    biased_lock_leave(&lock);
    return NULL;
}

START_TEST(another_waits_for_who_is_in) {
    static _Atomic bool is_in;
    pthread_t thread;
    biased_lock_prepare(&lock);
    if (!lock.is_possible) {
        suite_skip("the kernel has no membarrier");
        return;
    }
    biased_lock_bias(&lock);
    ck_assert_int_eq(pthread_create(&thread, NULL, slow, (void *)&is_in), 0);
    while (!is_in)
        ;
    biased_lock_take(&lock);
    ck_assert_uint_eq(count, 1);
    biased_lock_release(&lock);
    pthread_join(thread, NULL);
}
END_TEST

START_TEST(forbidden_it_is_a_lock) {
    biased_lock_prepare(&lock);
    biased_lock_forbid(&lock);
    run(often, OTHERS);
    ck_assert_uint_eq(count, (FAVOURED + OTHERS) * (uint64_t)ROUNDS);
    ck_assert_uint_eq(entered, 0);
}
END_TEST

/* The program filters its system calls: time has to do. */
START_TEST(without_the_system_call_nothing_is_lost) {
    biased_lock_prepare(&lock);
    biased_lock_bias(&lock);
    sys_confined = true;
    run(now_and_then, OTHERS);
    ck_assert_uint_eq(count, FAVOURED * (uint64_t)ROUNDS + OTHERS * (uint64_t)RARE);
    ck_assert(!lock.is_possible);
    ck_assert(!biased_lock_is_biased(&lock));
}
END_TEST

START_TEST(a_child_of_fork_has_it_too) {
    int status;
    biased_lock_prepare(&lock);
    biased_lock_take(&lock);
    pid_t child = fork();
    if (child == 0) {
        biased_lock_fork(&lock);
        biased_lock_release(&lock);
        biased_lock_bias(&lock);
        run(now_and_then, 1);
        _exit(count != FAVOURED * (uint64_t)ROUNDS + RARE);
    }
    biased_lock_release(&lock);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        nothing_is_lost_if_others_come_often,
        nothing_is_lost_if_others_come_now_and_then,
        alone_the_favoured_take_nothing,
        another_ends_the_bias,
        another_waits_for_who_is_in,
        forbidden_it_is_a_lock,
        without_the_system_call_nothing_is_lost,
        a_child_of_fork_has_it_too,
    };
    return suite_run("biased_lock", tests, sizeof tests / sizeof *tests);
}
