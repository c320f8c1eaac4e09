/* SPDX-License-Identifier: MIT */
/* Whether and when tracing begins: PYTHONTRACEMALLOC, -X tracemalloc, `tracemalloc
 * run`.
 *
 * The interpreter asks libc for PYTHONTRACEMALLOC once it has chosen its allocators.
 * That call is the moment to wrap them; the answer NULL keeps its own tracer off. Under
 * -E and -I the call never comes, and `run` and -X begin in the constructor. For a
 * CPython that comes later by dlopen, and is told to ignore the environment, `run`
 * begins when its code makes its first thread-specific key, as it always must.
 */
#pragma once

/* From the constructor, after traced_process was filled in: finds the interpreter, and
 * begins where that cannot wait. */
void start_prepare(int argc, char **argv);
