/* SPDX-License-Identifier: MIT */
/* What the campaign's programs cannot do in Python: dispositions of signals with all
 * their flags, alternate stacks, code made at run time, filters of system calls.
 *
 * Each function returns a number that is the same with and without the tracer. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096 };

static volatile sig_atomic_t caught;
static sigset_t blocked_inside;
static sigjmp_buf back;
static void *fault_address;

static void count(int number) {
    (void)number;
    caught++;
    pthread_sigmask(SIG_BLOCK, NULL, &blocked_inside);
}

/* Installs a handler that counts. Before: 0 default, 1 ignored, 2 a handler. */
int campaign_catch(int number, int flags, int masked) {
    struct sigaction action = {.sa_handler = count, .sa_flags = flags}, old;
    sigemptyset(&action.sa_mask);
    if (masked != 0)
        sigaddset(&action.sa_mask, masked);
    if (sigaction(number, &action, &old) != 0)
        return -errno;
    return old.sa_handler == SIG_DFL ? 0 : old.sa_handler == SIG_IGN ? 1 : 2;
}

int campaign_set_default(int number, int ignored) {
    return signal(number, ignored ? SIG_IGN : SIG_DFL) == SIG_ERR ? -errno : 0;
}

/* What sigaction() says of a signal: the handler's kind, the flags, or the mask. */
long campaign_disposition(int number, int what) {
    struct sigaction old;
    long masked = 0;
    if (sigaction(number, NULL, &old) != 0)
        return -errno;
    for (int other = 1; other < 32; other++)
        masked |= (long)(sigismember(&old.sa_mask, other) == 1) << other;
    if (what == 1)
        return (unsigned)old.sa_flags & ~0x04000000u; /* without SA_RESTORER */
    if (what == 2)
        return masked;
    return old.sa_handler == SIG_DFL ? 0 : old.sa_handler == SIG_IGN ? 1 : 2;
}

int campaign_caught(void) {
    return caught;
}

/* Whether this signal was blocked when the last one was handled. */
int campaign_was_blocked(int number) {
    return sigismember(&blocked_inside, number);
}

int campaign_raise(int number, int how) {
    union sigval value = {.sival_int = 7};
    if (how == 0)
        return raise(number);
    if (how == 1)
        return kill(getpid(), number);
    if (how == 2)
        return sigqueue(getpid(), number, value);
    return pthread_kill(pthread_self(), number);
}

/* A read that waits is interrupted, or goes on, as the flags of the handler say. */
int campaign_interrupted_read(int flags) {
    int ends[2];
    char byte = 0;
    if (pipe(ends) != 0)
        return -errno;
    campaign_catch(SIGALRM, flags, 0);
    pid_t child = fork();
    if (child == 0) {
        usleep(50000);
        kill(getppid(), SIGALRM);
        usleep(50000);
        _exit(write(ends[1], "x", 1) == 1 ? 0 : 1);
    }
    ssize_t got = read(ends[0], &byte, 1);
    int result = got == 1 ? byte : -errno;
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        continue;
    close(ends[0]);
    close(ends[1]);
    campaign_set_default(SIGALRM, 0);
    return result;
}

static void come_back(int number, siginfo_t *info, void *context) {
    (void)number, (void)context;
    fault_address = info->si_addr;
    siglongjmp(back, 1);
}

/* A real SIGBUS of the program's own mapping, caught: 1 when its address is right. */
int campaign_own_bus_error(int descriptor) {
    struct sigaction action = {.sa_sigaction = come_back, .sa_flags = SA_SIGINFO}, old;
    sigemptyset(&action.sa_mask);
    char *page = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, descriptor, 0);
    if (page == MAP_FAILED || ftruncate(descriptor, 0) != 0)
        return -errno;
    sigaction(SIGBUS, &action, &old);
    fault_address = NULL;
    if (sigsetjmp(back, 1) == 0)
        (void)*(volatile char *)(page + 100);
    sigaction(SIGBUS, &old, NULL);
    munmap(page, PAGE);
    return fault_address == page + 100;
}

/* As before, but nobody catches it: the process dies. */
int campaign_die_of_bus_error(int descriptor) {
    char *page = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, descriptor, 0);
    if (page == MAP_FAILED || ftruncate(descriptor, 0) != 0)
        return -errno;
    return *(volatile char *)page;
}

/* --- alternate stacks ------------------------------------------------------------- */

static void allocate(int number) {
    (void)number;
    void *volatile block = malloc(700);
    char *map = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    free(block);
    if (map != MAP_FAILED)
        munmap(map, 3 * PAGE);
    caught++;
}

/* A handler that allocates on a stack of its own, with a page below that kills. */
int campaign_alternate_stack(size_t size) {
    char *area = mmap(NULL, size + PAGE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (area == MAP_FAILED || mprotect(area, PAGE, PROT_NONE) != 0)
        return -errno;
    stack_t alternate = {.ss_sp = area + PAGE, .ss_size = size}, old;
    struct sigaction action = {.sa_handler = allocate, .sa_flags = SA_ONSTACK}, before;
    sigemptyset(&action.sa_mask);
    if (sigaltstack(&alternate, &old) != 0)
        return -errno;
    sigaction(SIGUSR1, &action, &before);
    int first = caught;
    raise(SIGUSR1);
    raise(SIGUSR1);
    sigaction(SIGUSR1, &before, NULL);
    sigaltstack(&old, NULL);
    munmap(area, size + PAGE);
    return caught - first;
}

/* --- code made at run time -------------------------------------------------------- */

/* Calls malloc(size) with rbp at a word of the stack that holds `word`, as code of a
 * just-in-time compiler may that keeps a float there; frees the block. */
int campaign_jit(uint64_t word, uint64_t size) {
    unsigned char code[] = {
        0x55,                                        /* push rbp */
        0x48, 0x83, 0xec, 0x20,                      /* sub rsp, 32 */
        0x48, 0xb8, 0,    0,    0,    0, 0, 0, 0, 0, /* mov rax, word */
        0x48, 0x89, 0x44, 0x24, 0x08,                /* mov [rsp+8], rax */
        0x48, 0x89, 0x44, 0x24, 0x10,                /* mov [rsp+16], rax */
        0x48, 0x8d, 0x6c, 0x24, 0x08,                /* lea rbp, [rsp+8] */
        0x48, 0xbf, 0,    0,    0,    0, 0, 0, 0, 0, /* mov rdi, size */
        0x48, 0xb8, 0,    0,    0,    0, 0, 0, 0, 0, /* mov rax, malloc */
        0xff, 0xd0,                                  /* call rax */
        0x48, 0x83, 0xc4, 0x20,                      /* add rsp, 32 */
        0x5d, 0xc3,                                  /* pop rbp; ret */
    };
    void *(*target)(size_t) = malloc, *(*made)(void);
    memcpy(code + 7, &word, 8);
    memcpy(code + 32, &size, 8);
    memcpy(code + 42, &target, 8);
    void *page =
        mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return -errno;
    memcpy(page, code, sizeof code);
    if (mprotect(page, PAGE, PROT_READ | PROT_EXEC) != 0)
        return -errno;
    memcpy(&made, &page, sizeof made);
    void *block = made();
    int result = block != NULL;
    free(block);
    munmap(page, PAGE);
    return result;
}

/* --- processes -------------------------------------------------------------------- */

enum { FORK, UNDERSCORE_FORK, SYSCALL_FORK, SYSCALL_CLONE, SYSCALL_CLONE3, KINDS };

/* A child by one of five ways; as fork(). */
int campaign_fork(int kind) {
    struct clone_args arguments = {.exit_signal = SIGCHLD};
    long child = -ENOSYS;
    if (kind == FORK)
        child = fork();
    else if (kind == UNDERSCORE_FORK)
        child = _Fork();
    else if (kind == SYSCALL_FORK)
        child = syscall(SYS_fork);
    else if (kind == SYSCALL_CLONE)
        child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    else if (kind == SYSCALL_CLONE3)
        child = syscall(SYS_clone3, &arguments, sizeof arguments);
    return (int)child;
}

static int child_of_clone(void *argument) {
    void *volatile block = malloc(900);
    free(block);
    return *(int *)argument;
}

/* clone() of libc with a stack of its own, sharing memory or not; the wait status. */
int campaign_clone(int flags, int status) {
    char *stack = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int told = -1;
    if (stack == MAP_FAILED)
        return -errno;
    pid_t child = clone(child_of_clone, stack + 64 * PAGE, flags | SIGCHLD, &status);
    if (child < 0)
        told = -errno;
    else if (waitpid(child, &told, 0) < 0)
        told = -errno;
    munmap(stack, 64 * PAGE);
    return told;
}

/* vfork, and a child that only ends. */
int campaign_vfork(int status) {
    int told;
    pid_t child = vfork();
    if (child == 0)
        _exit(status);
    return child < 0 || waitpid(child, &told, 0) < 0 ? -errno : told;
}

/* --- limits ----------------------------------------------------------------------- */

/* From now on these two calls, by which files are opened, fail with EACCES. */
int campaign_forbid_open(void) {
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_open, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return -errno;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0 ? -errno : 0;
}

int campaign_lock_all(int flags) {
    int result = mlockall(flags) != 0 ? -errno : 0;
    if (result == 0)
        munlockall();
    return result;
}
