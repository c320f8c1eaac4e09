/* SPDX-License-Identifier: MIT */
#include "base/lock.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/message.h"
#include "suite.h"

enum { THREADS = 4, ROUNDS = 50000 };

static struct lock lock = {.rank = LOCK_TRACER};
static struct lock outer = {.rank = LOCK_CONTROL}, inner = {.rank = LOCK_THREADS};
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

START_TEST(locks_are_taken_in_the_order_of_their_ranks) {
    lock_take(&outer);
    lock_take(&lock);
    lock_take(&inner);
    lock_release(&lock);
    lock_release(&inner);
    lock_take(&inner);
    lock_release(&inner);
    lock_release(&outer);
    lock_take(&lock);
    lock_release(&lock);
}
END_TEST

/* What the thread holds is its own. */
START_TEST(another_threads_locks_do_not_count) {
    pthread_t thread;
    lock_take(&inner);
    ck_assert_int_eq(pthread_create(&thread, NULL, wait_for_it, NULL), 0);
    pthread_join(thread, NULL);
    ck_assert(passed);
    ck_assert(!DEVELOPER_BUILD || lock_is_held(LOCK_THREADS));
    ck_assert(!lock_is_held(LOCK_TRACER));
}
END_TEST

START_TEST(a_lower_rank_is_refused) {
    lock_take(&inner);
    lock_take(&lock);
}
END_TEST

START_TEST(the_same_rank_is_refused) {
    struct lock other = {.rank = LOCK_TRACER};
    lock_take(&lock);
    lock_take(&other);
}
END_TEST

START_TEST(a_lock_without_a_rank_is_refused) {
    struct lock other = {0};
    lock_take(&other);
}
END_TEST

/* In the child of a fork, the thread holds what lock_fork reset. */
START_TEST(a_fork_holds_the_lock) {
    lock_fork(&inner);
    lock_take(&lock);
}
END_TEST

/* Also in a program that asks for no notices. */
START_TEST(the_reason_is_written) {
    char text[256] = "";
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        message_prepare();
        message_quiet(true);
        lock_take(&inner);
        lock_take(&lock);
        _exit(0);
    }
    close(ends[1]);
    ck_assert_int_gt(read(ends[0], text, sizeof text - 1), 0);
    close(ends[0]);
    ck_assert_ptr_nonnull(strstr(text, "a lock of rank 2 is taken"));
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        one_thread_at_a_time,
        a_try_does_not_wait,
        who_sleeps_is_woken,
        locks_are_taken_in_the_order_of_their_ranks,
        another_threads_locks_do_not_count,
    };
    /* Each ends the process, in developer builds. */
    const TTest *const refused[] = {
        a_lower_rank_is_refused,
        the_same_rank_is_refused,
        a_lock_without_a_rank_is_refused,
        a_fork_holds_the_lock,
    };
    TCase *cases = tcase_create("lock");
    for (size_t at = 0; at < sizeof tests / sizeof *tests; at++)
        tcase_add_test(cases, tests[at]);
    for (size_t at = 0; DEVELOPER_BUILD && at < sizeof refused / sizeof *refused; at++)
        tcase_add_test_raise_signal(cases, refused[at], SIGABRT);
    if (DEVELOPER_BUILD)
        tcase_add_test(cases, the_reason_is_written);
    return check_run("lock", cases);
}
