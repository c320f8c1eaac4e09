/* SPDX-License-Identifier: MIT */
/* Finds the traced process that a user names by its parent's pid: that of `tracemalloc
 * run`, a shell, or whatever started it. Offline code; one thread; allocates
 * nothing. */
#pragma once

#include <sys/types.h>

#include "base/compiler.h"

/* Returns the nearest descendant of a process that is being traced, the oldest if there
 * are several; -ESRCH if there is none. */
must_check pid_t traced_child_find(pid_t parent);

/* The same for descendants that have the library and can take requests. */
must_check pid_t traced_child_find_listening(pid_t parent);
