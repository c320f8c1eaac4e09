/* SPDX-License-Identifier: MIT */
/* The program that `run` runs: starts it, passes signals on to it, and waits for it.
 *
 * One thread. From child_start on, signals are blocked and only child_wait takes them;
 * the child has the signal mask and dispositions with which the command was started.
 */
#pragma once

#include <sys/types.h>

#include "base/compiler.h"

/* Starts argv[0], which is found by PATH. Returns its pid, or -errno if it could not be
 * executed. */
must_check pid_t child_start(char **argv);

/* Passes signals on until the child has ended. Returns its wait status (waitpid(2)). */
int child_wait(pid_t child);
