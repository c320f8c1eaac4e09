/* SPDX-License-Identifier: MIT */
#include "event/signal_window.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "suite.h"
#include "trace/tracer.h"

static volatile sig_atomic_t delivered, deferred;
static siginfo_t last;

static void handle(int number, siginfo_t *info, void *context) {
    (void)number, (void)context;
    if (signal_window_defer(info))
        deferred++;
    else {
        delivered++;
        last = *info;
    }
}

static sigset_t bus(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGBUS);
    return set;
}

static bool is_blocked(void) {
    sigset_t now;
    pthread_sigmask(SIG_SETMASK, NULL, &now);
    return sigismember(&now, SIGBUS) == 1;
}

static bool is_pending(void) {
    sigset_t pending;
    sigpending(&pending);
    return sigismember(&pending, SIGBUS) == 1;
}

static void block(int how) {
    sigset_t set = bus();
    pthread_sigmask(how, &set, NULL);
    signal_window_forget();
}

static void begin(void) {
    struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO};
    sigaction(SIGBUS, &action, NULL);
    tracer_prepare();
}

START_TEST(an_open_thread_needs_none) {
    begin();
    ck_assert(!signal_window_needless);
    ck_assert(!signal_window_open(true));
    ck_assert(signal_window_needless && !signal_window_is_open());
    signal_window_forget();
    ck_assert(!signal_window_needless);
    ck_assert(!signal_window_open(false));
    ck_assert(!signal_window_needless);
}
END_TEST

START_TEST(a_window_leaves_the_mask) {
    begin();
    block(SIG_BLOCK);
    ck_assert(signal_window_open(true));
    ck_assert(signal_window_is_open() && !is_blocked() && !signal_window_needless);
    ck_assert(!signal_window_open(true));
    signal_window_close();
    ck_assert(!signal_window_is_open() && is_blocked());
}
END_TEST

START_TEST(what_was_sent_stays_pending) {
    begin();
    block(SIG_BLOCK);
    sigqueue(getpid(), SIGBUS, (union sigval){.sival_int = 5});
    ck_assert(signal_window_open(true));
    ck_assert_int_eq(deferred, 1);
    sigqueue(getpid(), SIGBUS, (union sigval){.sival_int = 6});
    ck_assert_int_eq(deferred, 2);
    signal_window_close();
    ck_assert(is_pending());
    ck_assert_int_eq(delivered, 0);
    block(SIG_UNBLOCK);
    ck_assert_int_eq(delivered, 1);
    ck_assert_int_eq(last.si_code, SI_QUEUE);
    ck_assert_int_eq(last.si_value.sival_int, 5);
}
END_TEST

static void *send_in_thread(void *argument) {
    block(SIG_BLOCK);
    kill(getpid(), SIGBUS);
    ck_assert(signal_window_open(true));
    ck_assert_int_eq(deferred, 1);
    signal_window_close();
    sigset_t set = bus();
    siginfo_t info;
    ck_assert_int_eq(sigwaitinfo(&set, &info), SIGBUS);
    ck_assert_int_eq(info.si_pid, getpid());
    pthread_kill(pthread_self(), SIGBUS);
    ck_assert(signal_window_open(true));
    signal_window_close();
    ck_assert_int_eq(sigwaitinfo(&set, &info), SIGBUS);
    /* As libc shows SI_TKILL. */
    ck_assert_int_eq(info.si_code, SI_USER);
    return argument;
}

START_TEST(in_another_thread) {
    pthread_t thread;
    begin();
    block(SIG_BLOCK);
    pthread_create(&thread, NULL, send_in_thread, NULL);
    pthread_join(thread, NULL);
    ck_assert_int_eq(delivered, 0);
}
END_TEST

START_TEST(without_a_window_nothing_waits) {
    begin();
    ck_assert(!signal_window_open(true));
    raise(SIGBUS);
    ck_assert_int_eq(delivered, 1);
    ck_assert_int_eq(deferred, 0);
}
END_TEST

START_TEST(a_handler_has_a_window_of_its_own) {
    begin();
    block(SIG_BLOCK);
    ck_assert(signal_window_open(true));
    bool was_open = signal_window_suspend();
    ck_assert(was_open && !signal_window_is_open());
    block(SIG_BLOCK);
    ck_assert(signal_window_open(true));
    signal_window_close();
    signal_window_resume(was_open);
    ck_assert(signal_window_is_open());
}
END_TEST

START_TEST(the_fast_paths_are_closed_meanwhile) {
    begin();
    ck_assert_int_eq(*tracer.single_threaded, 0);
    signal_window_open(true);
    const char *flag = tracer.single_threaded;
    ck_assert_int_ne(*flag, 0);
    block(SIG_BLOCK);
    ck_assert_int_eq(*tracer.single_threaded, 0);
    ck_assert(signal_window_open(true));
    signal_window_close();
    ck_assert_int_eq(*tracer.single_threaded, 0);
    block(SIG_UNBLOCK);
    ck_assert(!signal_window_open(true));
    ck_assert_ptr_eq(tracer.single_threaded, flag);
}
END_TEST

/* Another thread needed none, and is gone in the child. */
START_TEST(a_child_has_its_own_thread_alone) {
    begin();
    block(SIG_BLOCK);
    tracer_share(false);
    signal_window_fork();
    ck_assert_int_eq(*tracer.single_threaded, 0);
    ck_assert(signal_window_open(true));
    signal_window_close();
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        an_open_thread_needs_none,           a_window_leaves_the_mask,
        what_was_sent_stays_pending,         in_another_thread,
        without_a_window_nothing_waits,      a_handler_has_a_window_of_its_own,
        the_fast_paths_are_closed_meanwhile, a_child_has_its_own_thread_alone};
    return suite_run("signal_window", tests, sizeof tests / sizeof *tests);
}
