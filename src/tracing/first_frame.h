/* SPDX-License-Identifier: MIT */
/* What the walk of Python frames calls: it adds names and nodes to the tables, and does
 * what has to wait for the first frame with the GIL, when the interpreter's types are
 * ready.
 */
#pragma once

#include "stack/python/python_stack.h"

/* For python_stack_open. Called under the tracer's lock. */
extern internal const struct python_stack_sink first_frame_sink;

/* After the program may have replaced our tracer of new objects
 * (PyRefTracer_SetTracer): installs it again. With the GIL. */
void first_frame_hook_objects(void);
/* -X tracemalloc=nframe was given: suppresses the interpreter's own tracer at the first
 * frame. Before tracing_start. */
void first_frame_suppress_builtin(long nframe);
