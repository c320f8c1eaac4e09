/* SPDX-License-Identifier: MIT */
/* Tracing a process that ran before the library came: `tracemalloc attach`.
 *
 * libc's functions are reached by the objects' tables of addresses (got_hooks.h), the
 * interpreter's by its allocators; its module _tracemalloc and its PyTraceMalloc stay
 * as they are. Blocks from before are unknown: their frees are ignored, and what a
 * realloc makes of them is new. No lock is held over a fork, for handlers that the
 * program registered before would run under it: a forked child begins a dump of its
 * own, without its parent's blocks.
 */
#pragma once

#include <stdbool.h>

#include "base/compiler.h"
#include "tracing/traced_process.h"

/* Begins, as the options say: lines of NAME=VALUE, the names being those of the
 * environment. On a thread that holds no lock of libc or of the loader; it need not
 * hold the GIL. 0; -EEXIST if the library was preloaded; -EALREADY when tracing;
 * -EINVAL for the options; -ENOTSUP without a Python; -ENOMEM; -EPERM in a process with
 * another user's rights. */
must_check int late_start(const char *options,
                          const struct traced_process_module *module);

/* Stops, and takes away all that stands in front of the program's functions: libc's at
 * the next call of one. Also in a signal handler. */
void late_start_undo(void);
