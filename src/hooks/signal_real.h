/* SPDX-License-Identifier: MIT */
/* The functions of libc that signal_hooks.c replaces: see libc_real.h.
 *
 * Each is the function that another preloaded library, or libc, has under the very name
 * that the program called: such a library may define one of a function's names and call
 * libc by another, which is ours again.
 *
 * The first call of any of them resolves them all. If libc lacks one that the program
 * calls, the call fails with ENOSYS.
 */
#pragma once

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <ucontext.h>

#include "base/compiler.h"

struct sigvec;

struct signal_real {
    int (*sigaction)(int, const struct sigaction *, struct sigaction *);
    int (*__sigaction)(int, const struct sigaction *, struct sigaction *);
    sighandler_t (*signal)(int, sighandler_t);
    sighandler_t (*bsd_signal)(int, sighandler_t);
    sighandler_t (*ssignal)(int, sighandler_t);
    sighandler_t (*sysv_signal)(int, sighandler_t);
    sighandler_t (*__sysv_signal)(int, sighandler_t);
    sighandler_t (*sigset)(int, sighandler_t);
    int (*sigignore)(int);
    int (*siginterrupt)(int, int);
    int (*sigvec)(int, const struct sigvec *, struct sigvec *);
    int (*sigprocmask)(int, const sigset_t *, sigset_t *);
    int (*pthread_sigmask)(int, const sigset_t *, sigset_t *);
    int (*sigblock)(int);
    int (*sigsetmask)(int);
    int (*sighold)(int);
    int (*sigrelse)(int);
    int (*setcontext)(const ucontext_t *);
    int (*swapcontext)(ucontext_t *, const ucontext_t *);
    int (*sigaltstack)(const stack_t *, stack_t *);
    int (*sigsuspend)(const sigset_t *);
    int (*__sigsuspend)(const sigset_t *);
    int (*sigpause)(int);
    int (*__sigpause)(int, int);
    int (*__xpg_sigpause)(int);
    int (*ppoll)(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *);
    int (*__ppoll_chk)(struct pollfd *, nfds_t, const struct timespec *,
                       const sigset_t *, size_t);
    int (*pselect)(int, fd_set *, fd_set *, fd_set *, const struct timespec *,
                   const sigset_t *);
    int (*epoll_pwait)(int, struct epoll_event *, int, int, const sigset_t *);
    int (*epoll_pwait2)(int, struct epoll_event *, int, const struct timespec *,
                        const sigset_t *);
    void (*siglongjmp)(sigjmp_buf, int);
    void (*longjmp)(jmp_buf, int);
    void (*_longjmp)(jmp_buf, int);
    void (*__longjmp_chk)(sigjmp_buf, int);
    int (*posix_spawn)(pid_t *, const char *, const posix_spawn_file_actions_t *,
                       const posix_spawnattr_t *, char *const *, char *const *);
    int (*posix_spawnp)(pid_t *, const char *, const posix_spawn_file_actions_t *,
                        const posix_spawnattr_t *, char *const *, char *const *);
    int (*system)(const char *);
    FILE *(*popen)(const char *, const char *);
};

/* Neither it nor any of its functions is ever NULL. Also in a signal handler, and in a
 * call that dlsym itself makes. */
const struct signal_real *signal_real(void);
/* libc's syscall(2), resolved apart: the tracer calls it while the others are being
 * resolved. */
void *signal_real_syscall(void);
