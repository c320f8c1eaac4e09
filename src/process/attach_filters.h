/* SPDX-License-Identifier: MIT */
/* Whether the filters of system calls (seccomp(2)) of a process let it load the library
 * and trace: it must not be killed for a call that it makes for us.
 *
 * Offline code, one thread. Threads with a filter are stopped one after another, for as
 * long as their filters are read.
 */
#pragma once

#include "base/compiler.h"
#include "process/attach_target.h"

/* 0; or 1 after one line by failure_print. */
must_check int attach_filters_check(const struct attach_target *target);
