/* SPDX-License-Identifier: MIT */
/* Decides whether and when tracing begins: by PYTHONTRACEMALLOC, -X tracemalloc or
 * `tracemalloc run`.
 *
 * The interpreter calls getenv for PYTHONTRACEMALLOC after it has set its allocators.
 * Our getenv wraps them then, and returns NULL so that the interpreter's own tracer
 * stays off. Under -E and -I that call never comes: there `run` and -X begin in the
 * constructor. A CPython that dlopen loads later, and that ignores the environment, is
 * traced by `run` from when its code creates its first thread-specific key, which it
 * always does.
 */
#pragma once

/* From the constructor, after traced_process was filled in: finds the interpreter, and
 * begins if getenv may never be called. */
void start_prepare(int argc, char **argv);
