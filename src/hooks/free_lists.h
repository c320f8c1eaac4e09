/* SPDX-License-Identifier: MIT */
/* Sees through CPython's free lists: freed floats, tuples, lists and dicts that it
 * keeps for reuse without telling its allocator.
 *
 * To 3.12: each of these types' tp_dealloc is replaced by one that gives an exact
 * instance a private copy of its type. The check for the exact type then fails in the
 * original, the memory goes back through tp_free, and the free lists stay empty. From
 * 3.13 on: PyRefTracer_SetTracer tells of each new object; one whose block was not just
 * allocated came from a free list, and its block moves to the present stack.
 *
 * Both are put in place at the first event with a Python frame, when the types are
 * ready and the GIL is held, and stay there.
 */
#pragma once

#include "stack/python/python_runtime.h"

void free_lists_install(const struct python_runtime *runtime);
/* Tracing stopped: makes and drops a few objects of each kind, so that the free lists
 * are as they are found in a program that was never traced. With the GIL, outside of
 * hooks. */
void free_lists_refill(void);
