/* SPDX-License-Identifier: MIT */
/* Runs the tests of one program. One thread. */
#pragma once

#include <check.h>

/* Returns the exit status. The case is taken over. */
int check_run(const char *name, TCase *tests);
