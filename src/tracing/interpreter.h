/* SPDX-License-Identifier: MIT */
/* The interpreter of this process, and tracing it.
 *
 * It is looked for in the constructor, and again at each question for
 * PYTHONTRACEMALLOC, for libpython may come late, by dlopen. Any thread; neither
 * function allocates by malloc.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Whether there is a Python in this process, known or not. Changes nothing. */
bool interpreter_exists(void);
/* Looks for the interpreter, once: the first success prepares what the library does in
 * it. Whether it has been found. */
bool interpreter_find(void);
bool interpreter_is_found(void);
/* Whether its frames can be walked and its allocators wrapped. */
bool interpreter_frames_work(void);
/* What makes it unreadable, for a message. */
const char *interpreter_unreadable(void);

/* Begins tracing, now. 0; -EALREADY when tracing; -ENOTSUP without a Python;
 * -ENOMEM. */
int interpreter_trace(uint32_t nframe);
/* 3.7 chooses its allocators again after it has asked for the variable: puts the hooks
 * back if tracing is on. */
void interpreter_hook_again(void);
