/* SPDX-License-Identifier: MIT */
/* Carries out requests that come by a signal: from the command, with a value
 * (control/request.h), or from a plain kill, which stops tracing if it is on and starts
 * it if it is off.
 *
 * The handler runs on any thread, at any instruction. In a thread that is in the tracer
 * it defers the request until the thread leaves.
 */
#pragma once

#include <stdint.h>

struct agent_options {
    uint32_t signal;      /* 0: REQUEST_DEFAULT_SIGNAL */
    uint32_t nframe;      /* for a start by a plain signal; 0: DEFAULT_NFRAME */
    void (*detach)(void); /* NULL: the process was not attached to */
};

/* Installs the handler if the program does not use the signal. Called once a Python is
 * there: before that a process is inert. */
void agent_listen(const struct agent_options *options);
