/* SPDX-License-Identifier: MIT */
/* Native frames of an event, merged with the Python ones; only where they were asked
 * for.
 *
 * record_native_prepare once, from the constructor, or when Python comes late; open and
 * close under the tracer's lock, at the start and end of a tracing; record_native_stack
 * in each event, by a thread inside the tracer.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "control/options.h"
#include "stack/python/python_layout.h"

struct thread_state;

struct record_native {
    bool enabled; /* changes under the tracer's lock */
};

extern internal struct record_native record_native;

/* Where native frames are wanted, finds what they need; without it there will be none,
 * which is said in one line. */
void record_native_prepare(const struct options *options);

/* The limit that a dump's header is to tell; 0: there are no native frames. */
uint32_t record_native_limit(void);

/* For a new dump, whose tables are open. `layout`: of the Python whose frames are
 * walked, or NULL. Native frames are off, which is said, where there is no memory. */
void record_native_open(const struct python_layout *layout);
void record_native_close(void);

/* As record_stack. The walk begins with the function that calls this one. */
uint32_t record_native_stack(struct thread_state *self, bool with_gil);
