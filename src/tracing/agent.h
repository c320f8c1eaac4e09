/* SPDX-License-Identifier: MIT */
/* Obeys requests that come by a signal: the command's, with a value
 * (control/request.h), and a plain kill, which stops a process that traces and starts
 * one that does not.
 *
 * The handler runs on any thread, at any instruction. In a thread that is inside the
 * tracer it puts the request off until the thread leaves.
 */
#pragma once

#include <stdint.h>

struct agent_options {
    uint32_t signal; /* 0: the default one */
    uint32_t nframe; /* of a start by a plain signal; 0: DEFAULT_NFRAME */
};

/* Takes the signal if the program does not use it. Once a Python is there; before that
 * a process is inert. */
void agent_listen(const struct agent_options *options);
