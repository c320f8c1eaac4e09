/* SPDX-License-Identifier: MIT */
/* One thread of another process, stopped by ptrace: whether it may be made to call a
 * function, the call, and its going on as if nothing had been.
 *
 * Only this thread is stopped, and only while it is examined; in a call all others run,
 * so whatever lock they hold they release. The thread is made to call
 *
 *   function(...) → returns to libc's __restore_rt → rt_sigreturn with a frame of the
 *   registers, the mask and the floating point state that the thread had
 *
 * so that it comes back to itself even if the command is killed meanwhile; the command
 * catches it before, and puts all of it back more exactly: a system call that was
 * interrupted goes on with the rest of its time. One that the kernel would end with
 * EINTR though no signal came, such as epoll_wait, is begun again.
 *
 * Offline code, one thread, x86-64.
 */
#pragma once

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

#include "base/compiler.h"

struct tracee {
    pid_t pid; /* of the process */
    pid_t thread;
    struct user_regs_struct registers; /* as it was stopped */
    uint64_t mask;                     /* of blocked signals, likewise */
    void *floating;                    /* XSAVE area */
    size_t floating_size;
    bool is_changed; /* a call was made */
    bool is_running; /* one has not returned */
};

/* Stops the thread. 0; -EPERM; -ESRCH: it has ended; -EAGAIN: it cannot be stopped now;
 * -ETIMEDOUT: it did not stop in time, and stays traced until it does or the caller
 * ends. */
must_check int tracee_stop(struct tracee *tracee, pid_t pid, pid_t thread);
/* Lets it go on, as it was. */
void tracee_release(struct tracee *tracee);

/* Reads the index-th filter of system calls of a stopped thread, of at most
 * BPF_MAXINSNS instructions. Their number; -ENOENT: there is none; -EACCES: only root
 * without filters may; -EINVAL: the kernel cannot. */
must_check int tracee_filter(const struct tracee *tracee, unsigned index,
                             struct sock_filter *out);

/* What a stopped thread was doing, by its registers. */
bool tracee_waits(const struct user_regs_struct *registers);

struct tracee_call {
    uint64_t function;
    uint64_t restore;  /* libc's __restore_rt */
    const char *text;  /* first argument: a copy of it, on the thread's stack */
    uint64_t argument; /* second argument, without a status */
    int64_t *status;   /* or where the callee writes a number; else NULL */
};

/* Bytes that a call needs below the stack pointer. */
enum { TRACEE_STACK = 128 << 10 };

/* Waits until the function returns, but not longer than until `*limit_ms`, of the
 * monotonic clock, or until `*ended` is set: then the thread goes on by itself, and
 * -ETIMEDOUT or -EINTR is returned; it is not to be called again. 0 or -errno. */
must_check int tracee_run(struct tracee *tracee, const struct tracee_call *call,
                          uint64_t limit_ms, const volatile bool *ended);
