/* SPDX-License-Identifier: MIT */
/* Sees through CPython's free lists: it keeps freed floats, tuples, lists and dicts for
 * reuse without its allocator's knowledge.
 *
 * To 3.12 we replace tp_dealloc of these types by a function that gives an exact
 * instance a private copy of its type. The original's check for the exact type then
 * fails, the memory is freed by tp_free, and the free lists stay empty. From 3.13 on
 * PyRefTracer_SetTracer reports each new object: if its block was not just allocated,
 * it came from a free list, and counts at the current stack from then on.
 *
 * Both are installed at the first event with a Python frame, when the types are ready
 * and the GIL is held, and stay in place until they are removed.
 */
#pragma once

#include "stack/python/python_runtime.h"

void free_lists_install(const struct python_runtime *runtime);
/* Removes both; a tracer of references removes itself at the next new object. Any
 * thread. */
void free_lists_remove(void);
/* After tracing stopped: creates and drops objects of each kind, so that the free lists
 * are as full as in a program that was never traced. With the GIL, outside of hooks. */
void free_lists_refill(void);
