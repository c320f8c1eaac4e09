/* SPDX-License-Identifier: MIT */
/* One tracing: from start to stop, with the dump that it leaves.
 *
 * Any thread that is not inside the tracer. Each function takes the locks it needs.
 * None allocates by malloc or changes errno; what goes wrong is told in one line on
 * stderr and in the dump, and the program goes on.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

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
/* The program took the signal that requests come by, or gave it back. */
void tracing_set_signal(uint32_t number);
