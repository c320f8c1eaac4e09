/* SPDX-License-Identifier: MIT */
#include "trace/gate.h"

#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "suite.h"

enum { OPEN = 1, ACTIVE = 2, WIPED = 4 };

static int seen(void) {
    return gate.open * OPEN + gate.active * ACTIVE + gate_is_wiped() * WIPED;
}

static int status_of(pid_t child) {
    int status;
    ck_assert_int_eq(waitpid(child, &status, __WALL), child);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void open_gate(void) {
    gate_prepare();
    gate.open = gate.active = true;
    ck_assert_int_eq(seen(), OPEN + ACTIVE);
}

START_TEST(a_child_that_nobody_is_told_of_finds_it_closed) {
    open_gate();
    pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
    if (child == 0)
        _exit(seen());
    ck_assert_int_eq(status_of(child), WIPED);
    ck_assert_int_eq(seen(), OPEN + ACTIVE);
}
END_TEST

START_TEST(its_own_children_do_too) {
    open_gate();
    pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
    if (child == 0) {
        gate_renew();
        gate.open = true;
        if (seen() != OPEN)
            _exit(99);
        pid_t grandchild = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
        if (grandchild == 0)
            _exit(seen());
        _exit(status_of(grandchild));
    }
    ck_assert_int_eq(status_of(child), WIPED);
}
END_TEST

static int leave_with_seen(void *argument) {
    (void)argument;
    return seen();
}

START_TEST(who_shares_the_memory_shares_it) {
    static char stack[65536] __attribute__((aligned(16)));
    open_gate();
    pid_t child =
        clone(leave_with_seen, stack + sizeof stack, CLONE_VM | SIGCHLD, NULL);
    ck_assert_int_gt(child, 0);
    ck_assert_int_eq(status_of(child), OPEN + ACTIVE);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        a_child_that_nobody_is_told_of_finds_it_closed,
        its_own_children_do_too,
        who_shares_the_memory_shares_it,
    };
    return suite_run("gate", tests, sizeof tests / sizeof *tests);
}
