/* SPDX-License-Identifier: MIT */
/* What the walk of Python frames calls back: names and nodes for the tables, and the
 * steps that wait for the first frame with the GIL, when the interpreter's types are
 * ready.
 */
#pragma once

#include "stack/python/python_stack.h"

/* The callbacks of python_stack_open. The tables' lock is held. */
extern internal const struct python_stack_sink first_frame_sink;

/* The program replaced the tracer of new objects (PyRefTracer_SetTracer): puts ours
 * back. With the GIL. */
void first_frame_hook_objects(void);
/* -X tracemalloc=nframe was given: the interpreter's own tracer is suppressed at the
 * first frame. Before tracing_start. */
void first_frame_suppress_builtin(long nframe);
