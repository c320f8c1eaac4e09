/* SPDX-License-Identifier: MIT */
/* Runs the tests of one program. One thread. */
#pragma once

#include <check.h>

/* Hangs are found by it; slow machines are no failure. */
enum { CHECK_RUN_SECONDS = 600 };

/* Returns the exit status. The case is taken over. */
static inline int check_run(const char *name, TCase *tests) {
    Suite *suite = suite_create(name);
    tcase_set_timeout(tests, CHECK_RUN_SECONDS);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
