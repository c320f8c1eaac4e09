/* SPDX-License-Identifier: MIT */
/* Whether and when tracing begins: PYTHONTRACEMALLOC, -X tracemalloc, `tracemalloc
 * run`.
 *
 * The interpreter asks libc for PYTHONTRACEMALLOC once it has chosen its allocators.
 * That call is the moment to wrap them; the answer NULL keeps its own tracer off. Under
 * -E and -I the call never comes, and `run` and -X begin in the constructor.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "control/options.h"

/* Begins tracing in a running program. 0; -EALREADY when tracing; -ENOTSUP without a
 * Python; -ENOMEM. */
int start_tracing(uint32_t nframe);

/* Whether there is a Python in this process, known or not. */
bool start_has_python(void);

/* From the constructor: finds the interpreter, and begins where that cannot wait. */
void start_prepare(const struct options *options, int argc, char **argv);
