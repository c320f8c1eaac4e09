/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check_run.h"
#include "fake_process.h"
#include "process/traced_child.h"

static struct fake_process fake;

START_TEST(the_child_that_is_traced) {
    fake_process_start(&fake, FAKE_OBEYS, true);
    ck_assert_int_eq(traced_child_find(getpid()), fake.pid);
    fake_process_end(&fake);
}
END_TEST

START_TEST(none_is_traced) {
    fake_process_start(&fake, FAKE_OBEYS, false);
    ck_assert_int_eq(traced_child_find(getpid()), -ESRCH);
    fake_process_end(&fake);
}
END_TEST

START_TEST(a_process_that_is_not_there) {
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    waitpid(child, NULL, 0);
    ck_assert_int_eq(traced_child_find(child), -ESRCH);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("traced_child");
    tcase_add_test(tests, the_child_that_is_traced);
    tcase_add_test(tests, none_is_traced);
    tcase_add_test(tests, a_process_that_is_not_there);
    return check_run("traced_child", tests);
}
