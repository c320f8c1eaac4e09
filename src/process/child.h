/* SPDX-License-Identifier: MIT */
/* The program that `run` runs: started, given the signals that come to us, waited for.
 *
 * One thread. From child_start on, signals are blocked and only taken by child_wait,
 * until the process ends; the child itself has the signal mask and dispositions that
 * the command was started with.
 */
#pragma once

#include <sys/types.h>

#include "base/compiler.h"

/* Starts argv[0], found by PATH. Its pid, or -errno of what kept it from being
 * executed. */
must_check pid_t child_start(char **argv);

/* Passes signals on until the child has ended; its wait status (waitpid(2)). */
int child_wait(pid_t child);
