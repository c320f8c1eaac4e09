/* SPDX-License-Identifier: MIT */
/* One tracing: from start to stop, with the dump that it leaves; and the same in the
 * child of a fork.
 *
 * Any thread that is not inside the tracer. Each function takes the locks it needs.
 * None allocates by malloc or changes errno; what goes wrong is told in one line on
 * stderr and in the dump, and the program goes on.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "control/options.h"
#include "stack/python_runtime.h"
#include "tracemalloc_dump.h"

enum { TRACING_MOST_FRAMES = 65535 };

/* Once, from the constructor. Both live as long as the process. */
void tracing_prepare(const struct options *options,
                     const struct python_runtime *runtime);

/* 0; -EALREADY when tracing; -ENOMEM. `frames_work`: the runtime's frames can be
 * walked. */
int tracing_start(uint32_t nframe, bool frames_work);
/* Seals the dump in state STOPPED and forgets all. 0, or -EALREADY when not tracing. */
int tracing_stop(void);
/* Forgets the blocks and goes on. 0, or -EALREADY when not tracing. */
int tracing_clear(void);
bool tracing_is_on(void);
/* Writes the dump as it is now to a new file. 0, or -errno. */
int tracing_snapshot(const char *path);

/* What the module _tracemalloc answers. Without tracing: 0. */
struct tracing_totals {
    uint64_t python_bytes;
    uint64_t python_peak_bytes;
};
struct tracing_totals tracing_totals(void);
void tracing_reset_peak(void);
uint32_t tracing_nframe(void);
/* Bytes of the tracer's own memory, the dump included. */
uint64_t tracing_memory(void);
/* Somebody replaced the tracer of new objects (PyRefTracer_SetTracer): puts ours back.
 * With the GIL. */
void tracing_hook_objects(void);
/* -X tracemalloc was given: what the interpreter's own tracer is kept from. Before
 * tracing_start. */
void tracing_keep_off(long nframe);

/* The process ends, or becomes another program. Only in the process that the dump is
 * of: a child of vfork runs on its parent's memory. */
void tracing_end(enum tracemalloc_dump_state state, int status);
/* The exec failed. */
void tracing_resume(void);
/* The program took the signal that requests come by, or gave it back. */
void tracing_set_signal(uint32_t number);

/* Around a fork. */
void tracing_before_fork(void);
void tracing_in_parent(void);
void tracing_in_child(void);
