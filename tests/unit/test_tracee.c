/* SPDX-License-Identifier: MIT */
/* Calls in a child that is somewhere else, and knows what it should be like after. */
#include "process/tracee.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check_run.h"
#include "process/remote_memory.h"

enum { WRONG = 3, SLEEP_MS = 400 };

static volatile int *shared; /* with the children: what the call did there */

static uint64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void pause_ms(long ms) {
    struct timespec pause = {ms / 1000, ms % 1000 * 1000000};
    while (nanosleep(&pause, &pause) != 0)
        continue;
}

/* Of the requests that this process makes, the one after which it is killed. */
static int requests_left;

/* In place of libc's. */
long ptrace(enum __ptrace_request what, ...) {
    va_list arguments;
    va_start(arguments, what);
    long thread = va_arg(arguments, int);
    void *address = va_arg(arguments, void *), *data = va_arg(arguments, void *);
    va_end(arguments);
    long result = syscall(SYS_ptrace, (long)what, thread, address, data);
    if (--requests_left == 0)
        raise(SIGKILL);
    return result;
}

/* --- what is called --------------------------------------------------------------- */

static void answer(const char *text, int64_t *status) {
    volatile double number = 1;
    for (int i = 0; i < 1000; i++)
        number = sqrt(number + i); /* its registers are used */
    shared[0]++;
    *status = (int64_t)strlen(text);
}

static void answer_late(const char *text, int64_t *status) {
    shared[1] = 1;
    pause_ms(SLEEP_MS);
    answer(text, status);
}

/* --- the children ----------------------------------------------------------------- */

static void sleep_in_kernel(void) {
    uint64_t start = now_ms();
    struct timespec pause = {0, SLEEP_MS * 1000000L};
    if (nanosleep(&pause, NULL) != 0 || now_ms() - start < SLEEP_MS ||
        now_ms() - start > 20 * SLEEP_MS)
        _exit(WRONG);
}

static void wait_in_epoll(void) {
    struct epoll_event event;
    int epoll = epoll_create1(0);
    if (epoll_wait(epoll, &event, 1, SLEEP_MS) != 0)
        _exit(WRONG);
}

static void wait_in_poll(void) {
    if (poll(NULL, 0, SLEEP_MS) != 0)
        _exit(WRONG);
}

static void read_from_pipe(void) {
    int ends[2];
    char byte = 0;
    if (pipe(ends) != 0)
        _exit(WRONG);
    if (fork() == 0) {
        pause_ms(SLEEP_MS);
        _exit(write(ends[1], "x", 1) == 1 ? 0 : 1);
    }
    if (read(ends[0], &byte, 1) != 1 || byte != 'x')
        _exit(WRONG);
}

/* In vector and other registers, between two instructions. */
static void compute_once(void) {
    static uint64_t first;
    double sums[4] = {0, 0, 0, 0};
    uint64_t hash = 1;
    for (int i = 0; i < 100000; i++) {
        for (int k = 0; k < 4; k++)
            sums[k] += i * (k + 1);
        hash = hash * 31 + (uint64_t)i;
    }
    first = first == 0 ? hash : first;
    if (sums[3] > 4 * sums[0] || sums[3] < 4 * sums[0] || hash != first)
        _exit(WRONG);
}

static void compute(void) {
    for (uint64_t end = now_ms() + SLEEP_MS; now_ms() < end;)
        compute_once();
}

static void compute_until_done(void) {
    while (shared[2] == 0)
        compute_once();
}

static void wait_until_done(void) {
    while (shared[2] == 0)
        pause_ms(1);
}

/* The child of a vfork runs on this memory meanwhile. */
static void wait_for_vfork(void) {
    static volatile int slept;
    if (vfork() == 0) {
        pause_ms(SLEEP_MS);
        slept = 1;
        _exit(0);
    }
    if (!slept)
        _exit(WRONG);
}

/* A letter, as in proc(5). */
static char state_of(pid_t child) {
    char path[64], state = '?';
    snprintf(path, sizeof path, "/proc/%d/stat", (int)child);
    FILE *file = fopen(path, "re");
    if (file != NULL && fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
        state = '?';
    if (file != NULL)
        fclose(file);
    return state;
}

/* Until it does what it is for. */
static void await(pid_t child, void (*body)(void)) {
    bool computes = body == compute || body == compute_until_done;
    pause_ms(50);
    for (int i = 0; i < 200 && !computes && state_of(child) == 'R'; i++)
        pause_ms(1);
}

static pid_t start(void (*body)(void)) {
    pid_t child = fork();
    if (child == 0) {
        sigset_t mask, after;
        sigemptyset(&mask);
        sigaddset(&mask, SIGUSR1);
        sigprocmask(SIG_SETMASK, &mask, NULL);
        body();
        sigprocmask(SIG_SETMASK, NULL, &after);
        _exit(sigismember(&after, SIGUSR1) && !sigismember(&after, SIGUSR2) ? 0
                                                                            : WRONG);
    }
    await(child, body);
    return child;
}

static uint64_t find_restore(void) {
    static const unsigned char code[] = {0x48, 0xc7, 0xc0, 0x0f, 0x00,
                                         0x00, 0x00, 0x0f, 0x05};
    struct remote_mappings mappings;
    uint64_t address = 0;
    ck_assert_int_eq(remote_mappings_read(getpid(), &mappings), 0);
    for (size_t i = 0; i < mappings.count && address == 0; i++) {
        const struct remote_mapping *each = &mappings.all[i];
        if (each->is_code && strstr(each->path, "libc.so.6") != NULL)
            address =
                (uint64_t)(uintptr_t)memmem((const void *)(uintptr_t)each->start,
                                            each->end - each->start, code, sizeof code);
    }
    remote_mappings_free(&mappings);
    ck_assert_uint_ne(address, 0);
    return address;
}

static void ck_ends_well(pid_t child) {
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}

static void call_twice(pid_t child) {
    struct tracee tracee;
    int64_t status = 0;
    struct tracee_call call = {(uint64_t)(uintptr_t)answer, find_restore(), "some text",
                               0, &status};
    ck_assert_int_eq(tracee_stop(&tracee, child, child), 0);
    ck_assert_int_eq(tracee_run(&tracee, &call, now_ms() + 5000, NULL), 0);
    ck_assert_int_eq(status, 9);
    call.text = "more";
    ck_assert_int_eq(tracee_run(&tracee, &call, now_ms() + 5000, NULL), 0);
    ck_assert_int_eq(status, 4);
    tracee_release(&tracee);
}

static void (*const bodies[])(void) = {sleep_in_kernel, wait_in_epoll, wait_in_poll,
                                       read_from_pipe, compute};

START_TEST(a_thread_goes_on_as_it_was) {
    pid_t child = start(bodies[_i]);
    call_twice(child);
    ck_assert_int_eq(shared[0], 2);
    ck_ends_well(child);
}
END_TEST

START_TEST(what_it_waits_for_is_told) {
    struct tracee tracee;
    pid_t child = start(bodies[_i]);
    ck_assert_int_eq(tracee_stop(&tracee, child, child), 0);
    ck_assert_int_eq(tracee_waits(&tracee.registers), bodies[_i] != compute);
    tracee_release(&tracee);
    ck_ends_well(child);
}
END_TEST

START_TEST(a_lock_of_libc_is_no_wait) {
    struct user_regs_struct registers = {
        .orig_rax = SYS_futex, .rax = (uint64_t)-512, .rsi = 128};
    ck_assert(!tracee_waits(&registers)); /* FUTEX_WAIT, private */
    registers.rsi = 128 | 256 | 9;        /* FUTEX_WAIT_BITSET */
    ck_assert(tracee_waits(&registers));
    registers.rax = 0; /* it has ended */
    ck_assert(!tracee_waits(&registers));
    registers.orig_rax = SYS_mmap;
    ck_assert(!tracee_waits(&registers));
    registers.orig_rax = (uint64_t)-1;
    registers.rax = (uint64_t)-4;
    ck_assert(!tracee_waits(&registers));
}
END_TEST

START_TEST(a_close_is_not_made_again) {
    struct user_regs_struct registers = {.orig_rax = SYS_read, .rax = (uint64_t)-EINTR};
    ck_assert(tracee_waits(&registers));
    registers.orig_rax = SYS_close;
    ck_assert(!tracee_waits(&registers));
}
END_TEST

/* The one that traces is killed in the midst of the call. */
START_TEST(a_thread_comes_back_by_itself) {
    pid_t child = start(bodies[_i]);
    pid_t other = fork();
    if (other == 0) {
        struct tracee tracee;
        int64_t status;
        struct tracee_call call = {(uint64_t)(uintptr_t)answer_late, find_restore(),
                                   "text", 0, &status};
        if (tracee_stop(&tracee, child, child) == 0)
            (void)!tracee_run(&tracee, &call, now_ms() + 5000, NULL);
        _exit(1);
    }
    for (int i = 0; i < 200 && shared[1] == 0; i++)
        pause_ms(10);
    ck_assert_int_eq(kill(other, SIGKILL), 0);
    ck_assert_int_eq(waitpid(other, NULL, 0), other);
    ck_assert_int_eq(shared[0], 0);
    ck_ends_well(child);
    ck_assert_int_eq(shared[0], 1);
}
END_TEST

/* Killed after its nth request. True if it ended before. */
static bool call_and_die(pid_t child, int requests) {
    int status;
    pid_t other = fork();
    if (other == 0) {
        requests_left = requests;
        call_twice(child);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(other, &status, 0), other);
    ck_assert(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : status == 0);
    return !WIFSIGNALED(status);
}

START_TEST(a_thread_comes_back_at_any_instant) {
    static void (*const until_done[])(void) = {compute_until_done, wait_until_done};
    int requests = 0;
    bool ended = false;
    while (!ended) {
        shared[2] = 0;
        pid_t child = start(until_done[_i]);
        ended = call_and_die(child, ++requests);
        pause_ms(5);
        shared[2] = 1;
        ck_ends_well(child);
    }
    ck_assert_int_gt(requests, 20);
}
END_TEST

/* As a_thread_comes_back_by_itself, but let go by itself. */
START_TEST(a_call_that_takes_too_long_goes_on) {
    struct tracee tracee;
    int64_t status;
    pid_t child = start(sleep_in_kernel);
    struct tracee_call call = {(uint64_t)(uintptr_t)answer_late, find_restore(), "text",
                               0, &status};
    ck_assert_int_eq(tracee_stop(&tracee, child, child), 0);
    ck_assert_int_eq(tracee_run(&tracee, &call, now_ms() + 100, NULL), -ETIMEDOUT);
    tracee_release(&tracee);
    ck_ends_well(child);
    ck_assert_int_eq(shared[0], 1);
}
END_TEST

START_TEST(one_that_cannot_be_stopped) {
    struct tracee tracee;
    pid_t child = start(wait_for_vfork);
    ck_assert_int_eq(tracee_stop(&tracee, child, child), -EAGAIN);
    pause_ms(SLEEP_MS / 2);
    ck_assert_int_eq(tracee_stop(&tracee, child, child), -EAGAIN);
    ck_ends_well(child);
}
END_TEST

START_TEST(who_is_gone) {
    struct tracee tracee;
    ck_assert_int_eq(tracee_stop(&tracee, 4194303, 4194303), -ESRCH);
    ck_assert_int_eq(tracee_stop(&tracee, getpid(), getpid()), -EPERM);
    pid_t zombie = fork();
    if (zombie == 0)
        _exit(0);
    siginfo_t info;
    ck_assert_int_eq(waitid(P_PID, (id_t)zombie, &info, WEXITED | WNOWAIT), 0);
    ck_assert_int_eq(tracee_stop(&tracee, zombie, zombie), -ESRCH);
    ck_ends_well(zombie);
}
END_TEST

static void share(void) {
    shared =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

int main(void) {
    enum { BODIES = sizeof bodies / sizeof *bodies };
    TCase *tests = tcase_create("tracee");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, share, NULL);
    tcase_add_loop_test(tests, a_thread_goes_on_as_it_was, 0, BODIES);
    tcase_add_loop_test(tests, what_it_waits_for_is_told, 0, BODIES);
    tcase_add_loop_test(tests, a_thread_comes_back_by_itself, 0, BODIES);
    tcase_add_loop_test(tests, a_thread_comes_back_at_any_instant, 0, 2);
    tcase_add_test(tests, a_call_that_takes_too_long_goes_on);
    tcase_add_test(tests, a_lock_of_libc_is_no_wait);
    tcase_add_test(tests, a_close_is_not_made_again);
    tcase_add_test(tests, one_that_cannot_be_stopped);
    tcase_add_test(tests, who_is_gone);
    return check_run("tracee", tests);
}
