/* SPDX-License-Identifier: MIT */
/* The dump is cut off, in each state that a thread's mask can be in: the program has to
 * live. One function a case: run by test_signals.py through ctypes. */
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <ucontext.h>

#include "signals.h"

static sigjmp_buf back;
static const char *dump; /* NULL: without the library */

/* How the cases begin. */
visible void begin(const char *name) {
    dump = name != NULL ? strdup(name) : NULL;
}

static void cut(void) {
    if (dump != NULL && truncate(dump, 0) != 0)
        say("truncate", errno);
}

static void block_all(void) {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
}

static void cut_and_allocate(int number) {
    say("cut", number);
    cut();
    allocate();
}

visible void cut_open(void) {
    cut_and_allocate(0);
}

visible void cut_blocked(void) {
    block_all();
    cut_and_allocate(0);
    print_mask("mask after");
}

visible void cut_after_events(void) {
    allocate();
    block_all();
    allocate();
    cut_and_allocate(0);
}

visible void cut_held(void) {
    sighold(SIGBUS);
    cut_and_allocate(0);
}

visible void cut_blocked_raw(void) {
    unsigned long bus = 1UL << (SIGBUS - 1);
    allocate();
    syscall(SYS_rt_sigprocmask, SIG_BLOCK, &bus, NULL, 8);
    cut_and_allocate(0);
}

visible void cut_pending(void) {
    signal(SIGBUS, on_signal);
    block_all();
    raise(SIGBUS);
    cut_and_allocate(0);
    print_pending();
}

visible void cut_ignored(void) {
    signal(SIGBUS, SIG_IGN);
    cut_and_allocate(0);
    raise(SIGBUS);
}

visible void cut_handled(void) {
    signal(SIGBUS, on_signal);
    cut_and_allocate(0);
    raise(SIGBUS);
}

visible void cut_in_handler_of_it(void) {
    signal(SIGBUS, cut_and_allocate);
    raise(SIGBUS);
}

static void in_handler(int number, void (*set_mask)(sigset_t *)) {
    struct sigaction action = {.sa_handler = cut_and_allocate};
    sigemptyset(&action.sa_mask);
    if (set_mask != NULL)
        ((int (*)(sigset_t *))set_mask)(&action.sa_mask);
    allocate();
    sigaction(number, &action, NULL);
}

visible void cut_in_handler(void) {
    in_handler(SIGUSR1, (void (*)(sigset_t *))sigfillset);
    raise(SIGUSR1);
    print_mask("mask after");
}

visible void cut_in_sigsuspend(void) {
    sigset_t mask, usr1 = only(SIGUSR1);
    in_handler(SIGUSR1, NULL);
    sigprocmask(SIG_BLOCK, &usr1, NULL);
    raise(SIGUSR1);
    sigfillset(&mask);
    sigdelset(&mask, SIGUSR1);
    sigsuspend(&mask);
}

static void in_wait(int way) {
    sigset_t mask, usr1 = only(SIGUSR1);
    struct timespec second = {1, 0};
    struct epoll_event event;
    in_handler(SIGUSR1, NULL);
    sigprocmask(SIG_BLOCK, &usr1, NULL);
    raise(SIGUSR1);
    sigfillset(&mask);
    sigdelset(&mask, SIGUSR1);
    if (way == 0)
        ppoll(NULL, 0, &second, &mask);
    else if (way == 1)
        pselect(0, NULL, NULL, NULL, &second, &mask);
    else
        epoll_pwait(epoll_create1(0), &event, 1, 1000, &mask);
}

visible void cut_in_ppoll(void) {
    in_wait(0);
}
visible void cut_in_pselect(void) {
    in_wait(1);
}
visible void cut_in_epoll_pwait(void) {
    in_wait(2);
}

static void *run_cut(void *argument) {
    (void)argument;
    cut_and_allocate(1);
    return NULL;
}

visible void cut_in_thread(void) {
    sigset_t all, old;
    pthread_t thread;
    allocate();
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    pthread_create(&thread, NULL, run_cut, NULL);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_join(thread, NULL);
}

static pthread_key_t key;
static void *run_to_end(void *argument) {
    allocate();
    pthread_setspecific(key, malloc(77));
    return argument;
}

/* At its end a thread blocks all signals, and libc frees what it had. */
visible void cut_at_thread_end(void) {
    pthread_attr_t attributes;
    pthread_key_create(&key, free);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    for (int at = 0; at < 50; at++) {
        pthread_t thread;
        pthread_create(&thread, &attributes, run_to_end, NULL);
        if (at == 25)
            cut();
    }
    usleep(200000);
}

visible void cut_after_jump(void) {
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &all, NULL);
    if (sigsetjmp(back, 1) == 0) {
        sigprocmask(SIG_SETMASK, &none, NULL);
        allocate();
        siglongjmp(back, 1);
    }
    cut_and_allocate(0);
}

visible void cut_in_context(void) {
    static ucontext_t here, there;
    static char stack[1 << 16];
    getcontext(&there);
    there.uc_stack.ss_sp = stack;
    there.uc_stack.ss_size = sizeof stack;
    there.uc_link = &here;
    sigfillset(&there.uc_sigmask);
    makecontext(&there, (void (*)(void))cut_open, 0);
    allocate();
    swapcontext(&here, &there);
    print_mask("mask after");
}

static void cut_at_exit(void) {
    block_all();
    cut();
}

visible void cut_at_the_end(void) {
    atexit(cut_at_exit);
}

visible void cut_before_fork(void) {
    block_all();
    cut();
    pid_t child = fork();
    if (child == 0) {
        allocate();
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    say("status", status);
    allocate();
}

visible void cut_before_exec(void) {
    block_all();
    cut();
    execl("/bin/grep", "grep", "SigBlk", "/proc/self/status", NULL);
}

visible void cut_by_request(void) {
    block_all();
    cut();
    syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), 53);
    sigset_t request;
    sigemptyset(&request);
    sigaddset(&request, 53);
    if (dump != NULL)
        sigprocmask(SIG_UNBLOCK, &request, NULL);
    say("alive", 1);
}
