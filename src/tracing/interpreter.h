/* SPDX-License-Identifier: MIT */
/* The interpreter of this process, and tracing it.
 *
 * The constructor searches for it, and so does each getenv of PYTHONTRACEMALLOC, for
 * dlopen may load libpython late. Any thread; no function allocates by malloc.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Whether there is a Python in this process, of a known version or not. Changes
 * nothing. */
bool interpreter_exists(void);
/* Searches for the interpreter until it is found once, and then prepares what the
 * library does in it. Whether it has been found. */
bool interpreter_find(void);
bool interpreter_is_found(void);
/* Whether its frames can be walked and its allocators wrapped. */
bool interpreter_frames_work(void);
/* Why its frames cannot be walked: what it is, for a message. */
const char *interpreter_unreadable(void);

/* Starts tracing. `sample`: a distance in bytes, or a REQUEST_SAMPLE_. 0; -EALREADY if
 * tracing is on; -ENOTSUP without a Python; -ENOMEM. */
int interpreter_trace(uint32_t nframe, uint32_t sample);
/* 3.7 sets its allocators again after it has read the variable: installs the hooks
 * again if tracing is on. */
void interpreter_hook_again(void);
