/* SPDX-License-Identifier: MIT */
#include "hooks/signal_action.h"

#include "base/lock.h"
#include "base/sys.h"
#include "hooks/libc_real.h"
#include "event/signal_window.h"

enum { SIGNALS = 65, SET_SIZE = 8 };

static struct lock lock = {.rank = LOCK_SIGNALS};

/* Written under the lock; handlers read `program` and `put_on` without it. */
static struct {
    const struct signal_cover *wanted;
    const struct signal_cover *put_on; /* the kernel has its handler; NULL: the
                                          program's action */
    struct sigaction program;          /* valid while a cover is put on */
    struct sigaction ours;
} actions[SIGNALS];

static int own_pid; /* 0: not known yet */

/* This thread holds the lock. It runs no signal handler meanwhile, so a call that finds
 * this set comes from another preloaded library, whose own sigaction or signal calls
 * libc by a name that is ours. */
static thread_local_fixed bool is_changing;

bool signal_action_is_function(const struct sigaction *action) {
    return action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN;
}

/* By the calling convention a handler of one argument may be called with three. */
void signal_action_call(const struct sigaction *program, int number, siginfo_t *info,
                        void *context) {
    bool was_open = signal_window_suspend();
    program->sa_sigaction(number, info, context);
    signal_window_resume(was_open);
}

/* --- a handler during which SIGBUS is blocked ------------------------------------- */

static void call_masked(int number, siginfo_t *info, void *context) {
    struct sigaction program = signal_action_program(number);
    if (signal_action_is_function(&program))
        signal_action_call(&program, number, info, context);
}

static void arrange_masked(const struct sigaction *program, struct sigaction *ours) {
    ours->sa_flags = program->sa_flags | SA_SIGINFO;
    ours->sa_mask = program->sa_mask;
}

static const struct signal_cover masked = {call_masked, arrange_masked, NULL};

/* --- on and off ------------------------------------------------------------------- */

/* Returns the previous mask. */
static uint64_t enter(void) {
    static const uint64_t all = ~UINT64_C(0);
    uint64_t old = 0;
    sys_call(SYS_rt_sigprocmask, SIG_BLOCK, &all, &old, SET_SIZE);
    lock_take(&lock);
    is_changing = true;
    return old;
}

static void leave(uint64_t mask) {
    is_changing = false;
    lock_release(&lock);
    sys_call(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, SET_SIZE);
}

static const struct signal_cover *cover_for(int number, const struct sigaction *now) {
    bool is_default = now->sa_handler == SIG_DFL;
    const struct signal_cover *wanted = actions[number].wanted;
    if (wanted != NULL && (wanted->taken == NULL || is_default))
        return wanted;
    if (signal_action_is_function(now) && sigismember(&now->sa_mask, SIGBUS) == 1)
        return &masked;
    return NULL;
}

static bool is_put_on(int number, const struct sigaction *now) {
    return actions[number].put_on != NULL &&
           now->sa_sigaction == actions[number].put_on->handle;
}

static int put_on(int number) {
    struct sigaction now, *ours = &actions[number].ours;
    if (libc_real.sigaction(number, NULL, &now) != 0)
        return -EINVAL;
    if (is_put_on(number, &now))
        return 0;
    const struct signal_cover *cover = cover_for(number, &now);
    if (cover == NULL)
        return 0;
    *ours = (struct sigaction){0};
    cover->arrange(&now, ours);
    ours->sa_sigaction = cover->handle;
    actions[number].program = now;
    if (libc_real.sigaction(number, ours, NULL) != 0)
        return -EINVAL;
    actions[number].put_on = cover;
    return 0;
}

/* SA_RESETHAND: the kernel itself installed the default action, by the flags of the
 * cover. */
static bool was_reset(int number, const struct sigaction *now) {
    return actions[number].put_on != NULL && now->sa_handler == SIG_DFL &&
           ((unsigned)actions[number].ours.sa_flags & SA_RESETHAND) != 0;
}

static void take_off(int number) {
    struct sigaction now, program = actions[number].program;
    if (libc_real.sigaction(number, NULL, &now) != 0)
        return;
    if (was_reset(number, &now))
        program.sa_handler = SIG_DFL;
    else if (!is_put_on(number, &now))
        return;
    libc_real.sigaction(number, &program, NULL);
}

/* Whether this is a child of vfork, or of a bare system call, for which no handler of
 * pthread_atfork ran. */
static bool is_foreign(void) {
    if (own_pid == 0)
        own_pid = sys_getpid();
    return own_pid != sys_getpid();
}

static bool is_ready(void) {
    return libc_real_ready() && libc_real.sigaction != NULL;
}

int signal_action_cover(int number, const struct signal_cover *cover) {
    int saved_errno = errno, error = 0;
    if (!is_ready() || is_foreign())
        return -EINVAL;
    uint64_t mask = enter();
    if (actions[number].wanted != cover) {
        take_off(number);
        actions[number].put_on = NULL;
        actions[number].wanted = cover;
        error = put_on(number);
        if (error == 0 && actions[number].put_on != cover)
            error = -EBUSY;
        if (error < 0)
            actions[number].wanted = NULL;
    }
    leave(mask);
    errno = saved_errno;
    return error;
}

void signal_action_uncover(void) {
    int saved = errno;
    if (!is_ready() || is_foreign())
        return;
    uint64_t mask = enter();
    for (int number = 1; number < SIGNALS; number++) {
        if (actions[number].put_on != NULL)
            take_off(number);
        actions[number].put_on = NULL;
        actions[number].wanted = NULL;
    }
    leave(mask);
    errno = saved;
}

struct sigaction signal_action_program(int number) {
    return actions[number].program;
}

void signal_action_reset(int number) {
    actions[number].program.sa_handler = SIG_DFL;
}

/* --- around what the program does ------------------------------------------------- */

static bool is_concerned(int number, const sigset_t *mask) {
    if (number < 1 || number >= SIGNALS || is_changing || !is_ready())
        return false;
    return actions[number].wanted != NULL || actions[number].put_on != NULL ||
           (mask != NULL && sigismember(mask, SIGBUS) == 1);
}

void signal_action_begin(struct signal_change *change, int number,
                         const sigset_t *mask) {
    int saved_errno = errno;
    change->number = 0;
    change->held = false;
    if (!is_concerned(number, mask))
        return;
    if (is_foreign())
        take_off(number);
    else {
        change->number = number;
        change->mask = enter();
        change->held = true;
        take_off(number);
        actions[number].put_on = NULL;
    }
    errno = saved_errno;
}

void signal_action_release(struct signal_change *change) {
    if (change->held)
        leave(change->mask);
    change->held = false;
}

static bool was_taken(int number) {
    const struct signal_cover *wanted = actions[number].wanted;
    if (wanted == NULL || wanted->taken == NULL || actions[number].put_on == wanted)
        return false;
    actions[number].wanted = NULL;
    return true;
}

void signal_action_end(struct signal_change *change) {
    int number = change->number, saved_errno = errno;
    if (number == 0)
        return;
    if (!change->held)
        change->mask = enter();
    const struct signal_cover *wanted = actions[number].wanted;
    put_on(number);
    bool taken = was_taken(number);
    leave(change->mask);
    if (taken)
        wanted->taken();
    errno = saved_errno;
}

/* --- exec and fork ---------------------------------------------------------------- */

static bool hides_ignored(void) {
    return actions[SIGBUS].put_on != NULL &&
           actions[SIGBUS].program.sa_handler == SIG_IGN;
}

void signal_action_before_exec(void) {
    if (hides_ignored())
        libc_real.sigaction(SIGBUS, &actions[SIGBUS].program, NULL);
}

void signal_action_exec_failed(void) {
    int saved_errno = errno;
    if (hides_ignored())
        libc_real.sigaction(SIGBUS, &actions[SIGBUS].ours, NULL);
    errno = saved_errno;
}

/* Another thread of the parent may have been in the middle of a change: puts on the
 * covers that it had taken off. */
void signal_action_fork(void) {
    lock_fork(&lock);
    own_pid = sys_getpid();
    for (int number = 1; number < SIGNALS; number++)
        if (actions[number].wanted != NULL && actions[number].put_on == NULL)
            put_on(number);
    lock_release(&lock);
}
