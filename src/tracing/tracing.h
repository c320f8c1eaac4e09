/* SPDX-License-Identifier: MIT */
/* One tracing: from start to stop, and the dump that it leaves.
 *
 * Any thread that is not in the tracer. Each function takes the locks that it needs.
 * None allocates by malloc or changes errno; an error is reported in one line on stderr
 * and in the dump, and the program continues.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

/* 0; -EALREADY if tracing is on; -ENOMEM. `sample_distance`: the mean distance of
 * samples in bytes; 0: every block is recorded. `frames_work`: the runtime's frames can
 * be walked. */
int tracing_start(uint32_t nframe, uint32_t sample_distance, bool frames_work);
/* Seals the dump in the state STOPPED and frees the tables. 0, or -EALREADY if tracing
 * is off. */
int tracing_stop(void);
/* Forgets the blocks, and continues. 0, or -EALREADY if tracing is off. */
int tracing_clear(void);
bool tracing_is_on(void);
/* Counts the live blocks by type, in the dump; its header says whether that failed. */
void tracing_take_census(void);
/* Writes the dump as it is now to a new file. 0, or -errno. */
int tracing_snapshot(const char *path);

/* For the module _tracemalloc. 0 if tracing is off. */
struct tracing_totals {
    uint64_t python_bytes;
    uint64_t python_peak_bytes;
};
struct tracing_totals tracing_totals(void);
void tracing_reset_peak(void);
/* For the C API: all domains, and the dump's peak as well. 0, or -EALREADY if tracing
 * is off. */
struct tracemalloc_totals;
must_check int tracing_all_totals(struct tracemalloc_totals *totals);
must_check int tracing_reset_peaks(void);
uint32_t tracing_nframe(void);
/* Bytes of the tracer's own memory, the dump included. */
uint64_t tracing_memory(void);
/* The signal of requests from now on; 0: the program has taken it. */
void tracing_set_signal(uint32_t number);
