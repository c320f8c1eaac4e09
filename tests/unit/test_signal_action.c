/* SPDX-License-Identifier: MIT */
#include "hooks/signal_action.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hooks/libc_real.h"
#include "event/signal_window.h"
#include "suite.h"

static volatile sig_atomic_t covered, handled, was_taken;

static void cover_handle(int number, siginfo_t *info, void *context) {
    (void)number, (void)info, (void)context;
    covered++;
}

static void arrange(const struct sigaction *program, struct sigaction *ours) {
    ours->sa_flags = (program->sa_flags & SA_ONSTACK) | SA_SIGINFO;
    ours->sa_mask = program->sa_mask;
}

static void taken(void) {
    was_taken++;
}

static const struct signal_cover cover = {cover_handle, arrange, NULL};
static const struct signal_cover yielding = {cover_handle, arrange, taken};

static void program_handle(int number) {
    (void)number;
    handled++;
}

/* As the hook of sigaction does it. */
static int program_sigaction(int number, const struct sigaction *action,
                             struct sigaction *old) {
    struct signal_change change;
    signal_action_begin(&change, number, action != NULL ? &action->sa_mask : NULL);
    int status = libc_real.sigaction(number, action, old);
    signal_action_end(&change);
    return status;
}

static struct sigaction now(int number) {
    struct sigaction action;
    ck_assert_int_eq(program_sigaction(number, NULL, &action), 0);
    return action;
}

START_TEST(a_cover_is_not_seen) {
    ck_assert_int_eq(signal_action_cover(SIGBUS, &cover), 0);
    ck_assert_ptr_eq(now(SIGBUS).sa_handler, SIG_DFL);
    raise(SIGBUS);
    ck_assert_int_eq(covered, 1);
    struct sigaction action = {.sa_handler = program_handle, .sa_flags = SA_ONSTACK};
    sigaddset(&action.sa_mask, SIGUSR2);
    ck_assert_int_eq(program_sigaction(SIGBUS, &action, NULL), 0);
    ck_assert_ptr_eq(now(SIGBUS).sa_handler, program_handle);
    ck_assert_int_eq(now(SIGBUS).sa_flags & SA_ONSTACK, SA_ONSTACK);
    ck_assert_int_eq(now(SIGBUS).sa_flags & SA_SIGINFO, 0);
    ck_assert_ptr_eq(signal_action_program(SIGBUS).sa_handler, program_handle);
    raise(SIGBUS);
    ck_assert_int_eq(covered, 2);
    ck_assert_int_eq(handled, 0);
}
END_TEST

START_TEST(a_cover_that_yields) {
    ck_assert_int_eq(signal_action_cover(SIGUSR1, &yielding), 0);
    ck_assert_ptr_eq(now(SIGUSR1).sa_handler, SIG_DFL);
    struct sigaction action = {.sa_handler = program_handle};
    ck_assert_int_eq(was_taken, 0);
    ck_assert_int_eq(program_sigaction(SIGUSR1, &action, NULL), 0);
    ck_assert_int_eq(was_taken, 1);
    raise(SIGUSR1);
    ck_assert_int_eq(handled, 1);
    ck_assert_int_eq(covered, 0);
}
END_TEST

static void needs_window(int number) {
    (void)number;
    handled += signal_window_open(true) ? 1 : 100;
    signal_window_close();
}

START_TEST(a_handler_that_blocks_it) {
    struct sigaction action = {.sa_handler = needs_window,
                               .sa_flags = (int)SA_RESETHAND};
    signal_window_open(true);
    sigfillset(&action.sa_mask);
    ck_assert_int_eq(program_sigaction(SIGUSR1, &action, NULL), 0);
    ck_assert_ptr_eq(now(SIGUSR1).sa_handler, needs_window);
    raise(SIGUSR1);
    ck_assert_int_eq(handled, 1);
    ck_assert(!signal_window_needless);
    ck_assert(!signal_window_open(true));
    ck_assert_ptr_eq(now(SIGUSR1).sa_handler, SIG_DFL);
    ck_assert_int_eq(now(SIGUSR1).sa_flags & SA_SIGINFO, 0);
}
END_TEST

START_TEST(ignored_for_an_exec) {
    struct sigaction action = {.sa_handler = SIG_IGN}, kernel;
    ck_assert_int_eq(signal_action_cover(SIGBUS, &cover), 0);
    ck_assert_int_eq(program_sigaction(SIGBUS, &action, NULL), 0);
    signal_action_before_exec();
    libc_real.sigaction(SIGBUS, NULL, &kernel);
    ck_assert_ptr_eq(kernel.sa_handler, SIG_IGN);
    signal_action_exec_failed();
    libc_real.sigaction(SIGBUS, NULL, &kernel);
    ck_assert_ptr_eq(kernel.sa_sigaction, cover_handle);
}
END_TEST

START_TEST(a_child_of_vfork_changes_nothing) {
    struct sigaction action = {.sa_handler = program_handle};
    ck_assert_int_eq(signal_action_cover(SIGBUS, &cover), 0);
    ck_assert_int_eq(program_sigaction(SIGBUS, &action, NULL), 0);
    if (vfork() == 0) {
        struct sigaction ignored = {.sa_handler = SIG_IGN}, kernel;
        program_sigaction(SIGBUS, &ignored, NULL);
        libc_real.sigaction(SIGBUS, NULL, &kernel);
        _exit(kernel.sa_handler == SIG_IGN ? 0 : 1);
    }
    int status;
    wait(&status);
    ck_assert_int_eq(status, 0);
    ck_assert_ptr_eq(now(SIGBUS).sa_handler, program_handle);
    raise(SIGBUS);
    ck_assert_int_eq(covered, 1);
}
END_TEST

START_TEST(wrong_numbers) {
    struct sigaction action = {.sa_handler = program_handle};
    sigfillset(&action.sa_mask);
    ck_assert_int_eq(program_sigaction(0, &action, NULL), -1);
    ck_assert_int_eq(program_sigaction(65, &action, NULL), -1);
    ck_assert_int_eq(program_sigaction(SIGKILL, &action, NULL), -1);
    ck_assert_int_eq(errno, EINVAL);
}
END_TEST

int main(void) {
    if (!libc_real_ready())
        return 1;
    const TTest *const tests[] = {a_cover_is_not_seen,
                                  a_cover_that_yields,
                                  a_handler_that_blocks_it,
                                  ignored_for_an_exec,
                                  a_child_of_vfork_changes_nothing,
                                  wrong_numbers};
    return suite_run("signal_action", tests, sizeof tests / sizeof *tests);
}
