/* SPDX-License-Identifier: MIT */
/* What a program sees of SIGBUS, one function a case: run by test_signals.py through
 * ctypes, with and without the library, on equal output. */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <ucontext.h>

#include "signals.h"

static void on_info(int number, siginfo_t *info, void *context) {
    stack_t stack;
    sigaltstack(NULL, &stack);
    say("handler", number);
    say("code", info->si_code);
    say("value", info->si_code == SI_QUEUE ? info->si_value.sival_int : 0);
    say("from us", info->si_code <= 0 && info->si_pid == getpid());
    say("on the other stack", (stack.ss_flags & SS_ONSTACK) != 0);
    print_mask("handler's mask");
    print_set("returns to", &((ucontext_t *)context)->uc_sigmask);
    allocate();
}

static struct sigaction with_info(int flags) {
    struct sigaction action = {.sa_sigaction = on_info, .sa_flags = flags | SA_SIGINFO};
    action.sa_mask = only(SIGUSR2);
    return action;
}

static void print_action(int number) {
    struct sigaction now;
    say("sigaction", sigaction(number, NULL, &now));
    say("default", now.sa_handler == SIG_DFL);
    say("ignored", now.sa_handler == SIG_IGN);
    say("on_signal", now.sa_handler == on_signal);
    say("on_info", now.sa_sigaction == on_info);
    say("flags", now.sa_flags & ~0x04000000);
    print_set("mask", &now.sa_mask);
}

static int queue(int value) {
    return sigqueue(getpid(), SIGBUS, (union sigval){.sival_int = value});
}

static long send_to_thread(void) {
    return syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGBUS);
}

static void send_in_all_ways(void) {
    kill(getpid(), SIGBUS);
    raise(SIGBUS);
    queue(7);
    send_to_thread();
    pthread_kill(pthread_self(), SIGBUS);
    pthread_sigqueue(pthread_self(), SIGBUS, (union sigval){.sival_int = 8});
}

/* A page of a file that is shorter. */
static void fault(void) {
    char name[] = "/tmp/signals.XXXXXX";
    int fd = mkstemp(name);
    unlink(name);
    volatile char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    page[0] = 1;
}

/* --- default ---------------------------------------------------------------------- */

visible void default_kill(void) {
    kill(getpid(), SIGBUS);
    allocate();
}
visible void default_raise(void) {
    raise(SIGBUS);
    allocate();
}
visible void default_sigqueue(void) {
    queue(1);
    allocate();
}
visible void default_tgkill(void) {
    send_to_thread();
    allocate();
}
visible void default_fault(void) {
    fault();
}
visible void default_action(void) {
    print_action(SIGBUS);
}

visible void blocked_fault(void) {
    sigset_t bus = only(SIGBUS);
    signal(SIGBUS, on_signal);
    sigprocmask(SIG_BLOCK, &bus, NULL);
    allocate();
    fault();
}

visible void default_after_handler(void) {
    signal(SIGBUS, on_signal);
    raise(SIGBUS);
    signal(SIGBUS, SIG_DFL);
    print_action(SIGBUS);
    raise(SIGBUS);
}

visible void default_unblocked(void) {
    sigset_t bus = only(SIGBUS);
    sigprocmask(SIG_BLOCK, &bus, NULL);
    kill(getpid(), SIGBUS);
    allocate();
    say("alive", 1);
    sigprocmask(SIG_UNBLOCK, &bus, NULL);
    say("alive", 2);
}

/* --- ignored ---------------------------------------------------------------------- */

visible void ignored(void) {
    say("before", signal(SIGBUS, SIG_IGN) == SIG_DFL);
    print_action(SIGBUS);
    send_in_all_ways();
    allocate();
    fault();
}

static void print_inherited(const char *way) {
    static char command[] = "grep -E 'SigIgn|SigBlk' /proc/self/status";
    say(way, 0);
    if (strcmp(way, "system") == 0)
        say("status", system(command));
    else if (strcmp(way, "popen") == 0) {
        char line[100];
        FILE *stream = popen(command, "r");
        while (fgets(line, sizeof line, stream) != NULL)
            say(line, 0);
        pclose(stream);
    } else if (strcmp(way, "posix_spawn") == 0) {
        pid_t child;
        char *argv[] = {"sh", "-c", command, NULL};
        posix_spawn(&child, "/bin/sh", NULL, NULL, argv, environ);
        waitpid(child, NULL, 0);
    } else {
        pid_t child = strcmp(way, "vfork") == 0 ? vfork() : fork();
        if (child == 0) {
            execl("/nowhere", "nowhere", NULL);
            execl("/bin/sh", "sh", "-c", command, NULL);
            _exit(1);
        }
        waitpid(child, NULL, 0);
    }
    print_action(SIGBUS);
}

static void print_all_inherited(void) {
    static const char *const ways[] = {"system", "popen", "posix_spawn", "vfork",
                                       "fork"};
    for (size_t at = 0; at < sizeof ways / sizeof *ways; at++)
        print_inherited(ways[at]);
}

visible void ignored_is_inherited(void) {
    signal(SIGBUS, SIG_IGN);
    print_all_inherited();
    raise(SIGBUS);
    execl("/bin/grep", "grep", "SigIgn", "/proc/self/status", NULL);
}

visible void handled_is_not_inherited(void) {
    sigset_t bus = only(SIGBUS);
    signal(SIGBUS, on_signal);
    sigprocmask(SIG_BLOCK, &bus, NULL);
    allocate();
    print_all_inherited();
    execl("/bin/grep", "grep", "-E", "SigIgn|SigBlk", "/proc/self/status", NULL);
}

visible void child_of_vfork(void) {
    signal(SIGBUS, on_signal);
    if (vfork() == 0) {
        signal(SIGBUS, SIG_DFL);
        signal(SIGBUS, SIG_IGN);
        _exit(signal(SIGBUS, SIG_IGN) == SIG_IGN ? 0 : 1);
    }
    int status;
    wait(&status);
    say("status", status);
    print_action(SIGBUS);
    raise(SIGBUS);
}

/* --- handled ---------------------------------------------------------------------- */

static void with_flags(int flags) {
    static char memory[1 << 16];
    stack_t stack = {.ss_sp = memory, .ss_size = sizeof memory};
    struct sigaction action = with_info(flags);
    sigaltstack(&stack, NULL);
    sigaction(SIGBUS, &action, NULL);
    print_action(SIGBUS);
    send_in_all_ways();
    print_action(SIGBUS);
    print_mask("mask after");
}

visible void handled(void) {
    with_flags(0);
}
visible void handled_on_stack(void) {
    with_flags(SA_ONSTACK);
}
visible void handled_no_defer(void) {
    with_flags(SA_NODEFER | SA_RESTART);
}
visible void handled_reset(void) {
    with_flags(SA_RESETHAND);
}
visible void handled_reset_no_defer(void) {
    with_flags(SA_RESETHAND | SA_NODEFER);
}

static sigjmp_buf back;
static void on_jump(int number) {
    say("jump", number);
    siglongjmp(back, 1);
}

visible void handled_fault(void) {
    signal(SIGBUS, on_jump);
    for (int time = 0; time < 3; time++)
        if (sigsetjmp(back, 1) == 0)
            fault();
    print_mask("mask after");
    allocate();
    struct sigaction action = {.sa_handler = on_jump};
    sigfillset(&action.sa_mask);
    sigaction(SIGBUS, &action, NULL);
    if (sigsetjmp(back, 1) == 0)
        fault();
    print_mask("mask after");
    allocate();
}

static int calls;
static void on_nested(int number) {
    int call = ++calls;
    say("begin", call);
    if (call % 3 != 0)
        raise(number);
    say("end", call);
}

visible void nested(void) {
    struct sigaction action = {.sa_handler = on_nested, .sa_flags = SA_NODEFER};
    sigaction(SIGBUS, &action, NULL);
    raise(SIGBUS);
    action.sa_flags = 0;
    sigaction(SIGBUS, &action, NULL);
    raise(SIGBUS);
}

/* --- the functions of libc -------------------------------------------------------- */

typedef void (*handler)(int);
extern handler bsd_signal(int, handler);
extern handler sigset(int, handler);
extern int sigignore(int);
extern int sighold(int);
extern int sigrelse(int);
extern int __sigaction(int, const struct sigaction *, struct sigaction *);

static void by_function(const char *name, handler (*set)(int, handler)) {
    say(name, set(SIGBUS, on_signal) == SIG_DFL);
    print_action(SIGBUS);
    raise(SIGBUS);
    print_action(SIGBUS);
    say("old", set(SIGBUS, SIG_IGN) == on_signal);
    print_action(SIGBUS);
    raise(SIGBUS);
    say("old", set(SIGBUS, SIG_DFL) == SIG_IGN);
    print_action(SIGBUS);
}

visible void functions(void) {
    by_function("signal", signal);
    by_function("bsd_signal", bsd_signal);
    by_function("ssignal", ssignal);
    by_function("sigset", sigset);
    siginterrupt(SIGBUS, 1);
    by_function("signal, interrupting", signal);
    siginterrupt(SIGBUS, 0);
    by_function("signal, restarting", signal);
    struct sigaction action = with_info(SA_RESTART), old;
    __sigaction(SIGBUS, &action, NULL);
    siginterrupt(SIGBUS, 1);
    print_action(SIGBUS);
    say("__sigaction", __sigaction(SIGBUS, NULL, &old));
    say("on_info", old.sa_sigaction == on_info);
    sigignore(SIGBUS);
    print_action(SIGBUS);
    raise(SIGBUS);
    signal(SIGBUS, on_signal);
    sighold(SIGBUS);
    allocate();
    raise(SIGBUS);
    say("held", 1);
    sigrelse(SIGBUS);
    say("hold", sigset(SIGBUS, SIG_HOLD) == on_signal);
    say("hold again", sigset(SIGBUS, SIG_HOLD) == SIG_HOLD);
    allocate();
    raise(SIGBUS);
    say("held", 2);
    sigset(SIGBUS, on_signal);
    say("invalid", sigaction(0, &action, NULL));
    say("errno", errno);
    say("invalid", sigaction(65, &action, NULL) + (long)signal(SIGKILL, on_signal));
    say("errno", errno);
}

visible void system_v(void) {
    say("sysv_signal", sysv_signal(SIGBUS, on_signal) == SIG_DFL);
    print_action(SIGBUS);
    raise(SIGBUS);
    print_action(SIGBUS);
    raise(SIGBUS);
}

/* Another signal, during whose handler SIGBUS is blocked. */
static void on_other(int number) {
    raise(SIGBUS);
    allocate();
    say("end of", number);
}

visible void other_handlers(void) {
    struct sigaction action = with_info(SA_RESTART);
    signal(SIGBUS, on_signal);
    sigfillset(&action.sa_mask);
    sigaction(SIGUSR1, &action, NULL);
    print_action(SIGUSR1);
    raise(SIGUSR1);
    siginterrupt(SIGUSR1, 1);
    print_action(SIGUSR1);
    action.sa_handler = on_other;
    action.sa_flags = 0;
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    action.sa_flags = SA_RESETHAND;
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    print_action(SIGUSR1);
    say("old", signal(SIGUSR1, on_signal) == SIG_DFL);
    print_action(SIGUSR1);
    raise(SIGUSR1);
}

/* --- interrupted calls ------------------------------------------------------------ */

struct poke {
    pthread_t thread;
    int fd;
};

static void *poke(void *argument) {
    struct poke *poke = argument;
    usleep(100000);
    pthread_kill(poke->thread, SIGBUS);
    usleep(100000);
    if (write(poke->fd, "x", 1) != 1)
        say("write", errno);
    return NULL;
}

static void read_interrupted(int flags) {
    int ends[2];
    char byte;
    pthread_t thread;
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = flags};
    sigaction(SIGBUS, &action, NULL);
    if (pipe(ends) != 0)
        _exit(98);
    struct poke job = {pthread_self(), ends[1]};
    pthread_create(&thread, NULL, poke, &job);
    long got = read(ends[0], &byte, 1);
    say("read", got < 0 ? -errno : got);
    pthread_join(thread, NULL);
}

visible void restarts(void) {
    read_interrupted(SA_RESTART);
    read_interrupted(0);
    siginterrupt(SIGBUS, 0);
    read_interrupted(SA_RESTART);
}

/* --- blocked ---------------------------------------------------------------------- */

static void print_waited(const sigset_t *set) {
    siginfo_t info;
    struct timespec no_time = {0, 0};
    int number = sigtimedwait(set, &info, &no_time);
    say("waited", number < 0 ? -errno : number);
    if (number < 0)
        return;
    say("code", info.si_code);
    say("from us", info.si_pid == getpid());
    say("value", info.si_code == SI_QUEUE ? info.si_value.sival_int : 0);
}

visible void blocked(void) {
    sigset_t bus = only(SIGBUS);
    struct sigaction action = with_info(0);
    sigaction(SIGBUS, &action, NULL);
    sigprocmask(SIG_BLOCK, &bus, NULL);
    allocate();
    print_mask("mask");
    print_pending();
    queue(3);
    queue(4);
    allocate();
    print_pending();
    print_waited(&bus);
    kill(getpid(), SIGBUS);
    allocate();
    print_waited(&bus);
    send_to_thread();
    allocate();
    print_waited(&bus);
    print_waited(&bus);
    queue(5);
    allocate();
    sigprocmask(SIG_UNBLOCK, &bus, NULL);
    say("end", 0);
}

visible void by_descriptor(void) {
    sigset_t bus = only(SIGBUS);
    struct signalfd_siginfo info;
    sigprocmask(SIG_BLOCK, &bus, NULL);
    int fd = signalfd(-1, &bus, SFD_NONBLOCK | SFD_CLOEXEC);
    allocate();
    say("nothing", read(fd, &info, sizeof info));
    queue(9);
    allocate();
    say("read", read(fd, &info, sizeof info));
    say("code", info.ssi_code);
    say("value", info.ssi_int);
    print_pending();
}

static void *allocate_always(void *stop) {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    while (!*(volatile bool *)stop)
        allocate();
    return NULL;
}

/* All threads block it; two are always between two events. */
visible void waiter(void) {
    sigset_t bus = only(SIGBUS);
    pthread_t threads[2];
    volatile bool stop = false;
    struct sigaction action = with_info(0);
    sigaction(SIGBUS, &action, NULL);
    sigprocmask(SIG_BLOCK, &bus, NULL);
    for (int at = 0; at < 2; at++)
        pthread_create(&threads[at], NULL, allocate_always, (void *)&stop);
    long sum = 0;
    for (int time = 1; time <= 300; time++) {
        siginfo_t info;
        struct timespec minute = {60, 0};
        int number;
        queue(time);
        do
            number = sigtimedwait(&bus, &info, &minute);
        while (number < 0 && errno == EINTR);
        if (number != SIGBUS || info.si_code != SI_QUEUE)
            say("lost", time);
        sum += info.si_value.sival_int;
    }
    stop = true;
    for (int at = 0; at < 2; at++)
        pthread_join(threads[at], NULL);
    say("sum", sum);
    print_pending();
}
