/* SPDX-License-Identifier: MIT */
/* The functions of libc that read or change the action of a signal, or a thread's mask,
 * as the program sees them.
 *
 * Functions of actions: our handlers are taken off meanwhile, so that libc's own code,
 * which also keeps what siginterrupt says, works on the program's actions. Functions of
 * masks are passed on, and the thread's next event asks the kernel whether SIGBUS is
 * blocked. A wait with a mask of its own runs handlers under that mask, so what is
 * known of the mask is forgotten before and after it. */
#include <errno.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/poll.h>
#include <sys/select.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "hooks/jump.h"
#include "hooks/signal_action.h"
#include "hooks/signal_real.h"
#include "base/sys.h"
#include "event/signal_window.h"
#include "stack/native/native_window.h"

/* --- actions ---------------------------------------------------------------------- */

static int change_action(int (*real)(int, const struct sigaction *, struct sigaction *),
                         int number, const struct sigaction *action,
                         struct sigaction *old) {
    struct signal_change change;
    signal_action_begin(&change, number, action != NULL ? &action->sa_mask : NULL);
    int result = real(number, action, old);
    signal_action_end(&change);
    return result;
}

exported int sigaction(int number, const struct sigaction *action,
                       struct sigaction *old) {
    return change_action(signal_real()->sigaction, number, action, old);
}

int __sigaction(int number, const struct sigaction *action, struct sigaction *old);
exported int __sigaction(int number, const struct sigaction *action,
                         struct sigaction *old) {
    return change_action(signal_real()->__sigaction, number, action, old);
}

static sighandler_t change_handler(sighandler_t (*real)(int, sighandler_t), int number,
                                   sighandler_t handler) {
    struct signal_change change;
    signal_action_begin(&change, number, NULL);
    sighandler_t old = real(number, handler);
    signal_action_end(&change);
    return old;
}

exported sighandler_t signal(int number, sighandler_t handler) {
    return change_handler(signal_real()->signal, number, handler);
}

sighandler_t bsd_signal(int number, sighandler_t handler);
exported sighandler_t bsd_signal(int number, sighandler_t handler) {
    return change_handler(signal_real()->bsd_signal, number, handler);
}

exported sighandler_t ssignal(int number, sighandler_t handler) {
    return change_handler(signal_real()->ssignal, number, handler);
}

exported sighandler_t sysv_signal(int number, sighandler_t handler) {
    return change_handler(signal_real()->sysv_signal, number, handler);
}

exported sighandler_t __sysv_signal(int number, sighandler_t handler) {
    return change_handler(signal_real()->__sysv_signal, number, handler);
}

exported sighandler_t sigset(int number, sighandler_t handler) {
    struct signal_change change;
    signal_action_begin(&change, number, NULL);
    signal_action_release(&change);
    sighandler_t old = signal_real()->sigset(number, handler);
    signal_action_end(&change);
    signal_window_forget();
    return old;
}

exported int sigignore(int number) {
    struct signal_change change;
    signal_action_begin(&change, number, NULL);
    int result = signal_real()->sigignore(number);
    signal_action_end(&change);
    return result;
}

exported int siginterrupt(int number, int interrupt) {
    struct signal_change change;
    signal_action_begin(&change, number, NULL);
    int result = signal_real()->siginterrupt(number, interrupt);
    signal_action_end(&change);
    return result;
}

/* Not in libc's headers any more: for old programs only. */
struct sigvec {
    sighandler_t handler;
    int mask; /* of the signals 1 to 32 */
    int flags;
};
int sigvec(int number, const struct sigvec *vector, struct sigvec *old);
exported int sigvec(int number, const struct sigvec *vector, struct sigvec *old) {
    struct signal_change change;
    sigset_t mask;
    sigemptyset(&mask);
    if (vector != NULL && (vector->mask & (1 << (SIGBUS - 1))) != 0)
        sigaddset(&mask, SIGBUS);
    signal_action_begin(&change, number, &mask);
    int result = signal_real()->sigvec(number, vector, old);
    signal_action_end(&change);
    return result;
}

/* --- a thread's mask -------------------------------------------------------------- */

/* After the thread's mask may have changed. */
static int mask_changed(int result) {
    signal_window_forget();
    return result;
}

exported int sigprocmask(int how, const sigset_t *set, sigset_t *old) {
    return mask_changed(signal_real()->sigprocmask(how, set, old));
}

exported int pthread_sigmask(int how, const sigset_t *set, sigset_t *old) {
    return mask_changed(signal_real()->pthread_sigmask(how, set, old));
}

exported int sigblock(int mask) {
    return mask_changed(signal_real()->sigblock(mask));
}

exported int sigsetmask(int mask) {
    return mask_changed(signal_real()->sigsetmask(mask));
}

exported int sighold(int number) {
    return mask_changed(signal_real()->sighold(number));
}

exported int sigrelse(int number) {
    return mask_changed(signal_real()->sigrelse(number));
}

exported int setcontext(const ucontext_t *context) {
    signal_window_forget();
    struct native_context before = native_window_context_begin(&context->uc_stack);
    int result = signal_real()->setcontext(context);
    native_window_context_end(before); /* it failed */
    return mask_changed(result);
}

exported int swapcontext(ucontext_t *old, const ucontext_t *context) {
    signal_window_forget();
    struct native_context before = native_window_context_begin(&context->uc_stack);
    int result = signal_real()->swapcontext(old, context);
    native_window_context_end(before);
    return mask_changed(result);
}

/* --- a thread's alternate stack --------------------------------------------------- */

exported int sigaltstack(const stack_t *stack, stack_t *old) {
    enum native_signal_stack before = native_window_signal_stack_begin();
    int result = signal_real()->sigaltstack(stack, old);
    native_window_signal_stack_end(before, result == 0 ? stack : NULL);
    return result;
}

/* --- system calls made by number -------------------------------------------------- */

static bool confines(long number, long first) {
    return (number == SYS_seccomp &&
            (first == SECCOMP_SET_MODE_STRICT || first == SECCOMP_SET_MODE_FILTER)) ||
           (number == SYS_prctl && first == PR_SET_SECCOMP);
}

/* Called by syscall; returns libc's function, to which it jumps. */
__attribute__((used)) static void *note_syscall(long number, long first) {
    if (number == SYS_rt_sigprocmask)
        signal_window_forget();
    if (number == SYS_sigaltstack && first != 0)
        native_window_signal_stack_begin();
    if (unlikely(confines(number, first)))
        sys_confined = true;
    return signal_real_syscall();
}

/* Jumps to libc's function with the program's registers and stack, so that libc returns
 * directly to the program, and can do so twice: in the parent and the child of a vfork.
 * The tracer's own calls pass through here too. */
JUMP_WHERE("syscall", "note_syscall");

/* --- waits with a mask of their own ----------------------------------------------- */

exported int sigsuspend(const sigset_t *mask) {
    signal_window_forget();
    return mask_changed(signal_real()->sigsuspend(mask));
}

int __sigsuspend(const sigset_t *mask);
exported int __sigsuspend(const sigset_t *mask) {
    signal_window_forget();
    return mask_changed(signal_real()->__sigsuspend(mask));
}

/* BSD's sigpause, which takes a mask: in <signal.h> the name is X/Open's. */
int sigpause_mask(int mask) __asm__("sigpause");
exported int sigpause_mask(int mask) {
    signal_window_forget();
    return mask_changed(signal_real()->sigpause(mask));
}

int __sigpause(int number_or_mask, int is_number);
exported int __sigpause(int number_or_mask, int is_number) {
    signal_window_forget();
    return mask_changed(signal_real()->__sigpause(number_or_mask, is_number));
}

/* X/Open's: exported under the name __xpg_sigpause. */
exported int sigpause(int number) {
    signal_window_forget();
    return mask_changed(signal_real()->__xpg_sigpause(number));
}

exported int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
                   const sigset_t *mask) {
    signal_window_forget();
    return mask_changed(signal_real()->ppoll(fds, count, timeout, mask));
}

int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
                const sigset_t *mask, size_t size);
exported int __ppoll_chk(struct pollfd *fds, nfds_t count,
                         const struct timespec *timeout, const sigset_t *mask,
                         size_t size) {
    signal_window_forget();
    return mask_changed(signal_real()->__ppoll_chk(fds, count, timeout, mask, size));
}

exported int pselect(int count, fd_set *readable, fd_set *writable, fd_set *exceptional,
                     const struct timespec *timeout, const sigset_t *mask) {
    signal_window_forget();
    return mask_changed(
        signal_real()->pselect(count, readable, writable, exceptional, timeout, mask));
}

exported int epoll_pwait(int fd, struct epoll_event *events, int count, int timeout,
                         const sigset_t *mask) {
    signal_window_forget();
    return mask_changed(signal_real()->epoll_pwait(fd, events, count, timeout, mask));
}

exported int epoll_pwait2(int fd, struct epoll_event *events, int count,
                          const struct timespec *timeout, const sigset_t *mask) {
    signal_window_forget();
    return mask_changed(signal_real()->epoll_pwait2(fd, events, count, timeout, mask));
}

/* --- jumps, which may restore a mask ---------------------------------------------- */

exported void siglongjmp(sigjmp_buf environment, int value) {
    signal_window_forget();
    signal_real()->siglongjmp(environment, value);
    __builtin_unreachable();
}

exported void longjmp(jmp_buf environment, int value) {
    signal_window_forget();
    signal_real()->longjmp(environment, value);
    __builtin_unreachable();
}

exported void _longjmp(jmp_buf environment, int value) {
    signal_window_forget();
    signal_real()->_longjmp(environment, value);
    __builtin_unreachable();
}

void __longjmp_chk(sigjmp_buf environment, int value) __attribute__((noreturn));
exported void __longjmp_chk(sigjmp_buf environment, int value) {
    signal_window_forget();
    signal_real()->__longjmp_chk(environment, value);
    __builtin_unreachable();
}

/* --- new programs that libc itself starts ----------------------------------------- */

/* Puts the cover on again that signal_action_before_exec took off. */
static int started(int result) {
    signal_action_exec_failed();
    return result;
}

exported int posix_spawn(pid_t *pid, const char *path,
                         const posix_spawn_file_actions_t *actions,
                         const posix_spawnattr_t *attributes, char *const argv[],
                         char *const environment[]) {
    const struct signal_real *real = signal_real();
    signal_action_before_exec();
    return started(
        real->posix_spawn(pid, path, actions, attributes, argv, environment));
}

exported int posix_spawnp(pid_t *pid, const char *file,
                          const posix_spawn_file_actions_t *actions,
                          const posix_spawnattr_t *attributes, char *const argv[],
                          char *const environment[]) {
    const struct signal_real *real = signal_real();
    signal_action_before_exec();
    return started(
        real->posix_spawnp(pid, file, actions, attributes, argv, environment));
}

exported int system(const char *command) {
    const struct signal_real *real = signal_real();
    signal_action_before_exec();
    return started(real->system(command));
}

exported FILE *popen(const char *command, const char *type) {
    const struct signal_real *real = signal_real();
    signal_action_before_exec();
    FILE *stream = real->popen(command, type);
    signal_action_exec_failed();
    return stream;
}
