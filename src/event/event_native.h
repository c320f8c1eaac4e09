/* SPDX-License-Identifier: MIT */
/* Native frames of an event, merged with the Python ones, if they are enabled.
 *
 * event_native_prepare: once, from the constructor, or when Python comes late.
 * event_native_open and _close: under the tracer's lock, at the start and end of a
 * tracing. event_native_capture: in each event, by a thread that is in the tracer.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "control/options.h"
#include "stack/python/python_layout.h"
#include "trace/event_guard.h"

struct event_native {
    bool enabled; /* changes under the tracer's lock */
};

extern internal struct event_native event_native;

/* If the options ask for native frames, finds what capturing them needs. If something
 * is missing, reports it in one line and leaves native frames off. */
void event_native_prepare(const struct options *options);

/* The limit of native frames for a dump's header; 0: native frames are off. */
uint32_t event_native_limit(void);

/* For a new dump, whose tables are open. `layout`: that of the Python whose frames are
 * walked, or NULL. If there is no memory, reports it and leaves native frames off. */
void event_native_open(const struct python_layout *layout);
void event_native_close(void);

/* Ids of stacks are about to be given out again: all threads drop theirs. */
void event_native_forget(void);

/* As event_capture. The innermost native frame is that of the caller. */
uint32_t event_native_capture(struct event_guard guard, bool with_gil);
