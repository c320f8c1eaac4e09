/* SPDX-License-Identifier: MIT */
/* The traced process that a user means by its parent's pid: `tracemalloc run`, a
 * shell, or what else started it. Offline code; one thread; allocates nothing. */
#pragma once

#include <sys/types.h>

#include "base/compiler.h"

/* The nearest descendant of a process that traces into a dump; the oldest of several.
 * -ESRCH when there is none. */
must_check pid_t traced_child_find(pid_t parent);

/* The same, of those that have the library and listen to requests. */
must_check pid_t traced_child_find_listening(pid_t parent);
