/* SPDX-License-Identifier: MIT */
/* `push --every`: sends again and again what processes hold, until they have ended or
 * the user ends it. One thread; allocates. */
#pragma once

#include "base/compiler.h"
#include "cli/push_dumps.h"

/* Returns the exit status: that of the first request if it fails, else that of the
 * last. */
must_check int push_watch_run(struct push *push);
