/* SPDX-License-Identifier: MIT */
/* Commands whose only argument is the PID of a traced process. One thread. */
#pragma once

#include "base/compiler.h"
#include "process/process_request.h"

/* Runs the command of this help text: opens the process, and calls `act`, which returns
 * 0, or 1 after one line by failure_print. Returns the exit status. */
must_check int target_command_run(int argc, char **argv, const char *doc,
                                  int (*act)(struct target *target));
