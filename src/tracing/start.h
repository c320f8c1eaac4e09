/* SPDX-License-Identifier: MIT */
/* Whether and when tracing begins: PYTHONTRACEMALLOC, -X tracemalloc, `tracemalloc
 * run`.
 *
 * The interpreter asks libc for PYTHONTRACEMALLOC once it has chosen its allocators.
 * That call is the moment to wrap them; the answer NULL keeps its own tracer off. Under
 * -E and -I the call never comes, and `run` and -X begin in the constructor.
 */
#pragma once

/* From the constructor, after traced_process was filled in: finds the interpreter, and
 * begins where that cannot wait. */
void start_prepare(int argc, char **argv);
