/* SPDX-License-Identifier: MIT */
/* The objects of which a traceback of _tracemalloc consists: tuples (filename, line).
 *
 * For callers that hold the GIL, outside of hooks. Each returns a new reference, or
 * NULL with an exception set. Tuples of names and numbers cannot be in a cycle, so they
 * are untracked: the garbage collector would visit millions of them again and again.
 */
#pragma once

#include <stdint.h>

/* UTF-8 with lone surrogates, as the dump has it. */
void *traceback_object_text(const char *bytes, uint32_t length);

/* Steals the reference to the name, which may be NULL with an exception set. */
void *traceback_object_frame(void *filename, uint32_t line);

/* The traceback of a block that was allocated without a Python frame. */
void *traceback_object_unknown(void);
