/* SPDX-License-Identifier: MIT */
/* Native frames of an event, merged with the Python ones; only where they were asked
 * for.
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

/* Where native frames are wanted, finds what they need; without it there will be none,
 * which is said in one line. */
void event_native_prepare(const struct options *options);

/* The limit that a dump's header is to tell; 0: there are no native frames. */
uint32_t event_native_limit(void);

/* For a new dump, whose tables are open. `layout`: of the Python whose frames are
 * walked, or NULL. Native frames are off, which is said, where there is no memory. */
void event_native_open(const struct python_layout *layout);
void event_native_close(void);

/* As event_capture. The walk begins with the function that calls this one. */
uint32_t event_native_capture(struct event_guard guard, bool with_gil);
