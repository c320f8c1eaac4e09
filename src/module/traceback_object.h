/* SPDX-License-Identifier: MIT */
/* The objects that a traceback of _tracemalloc is made of: a tuple of (filename, line).
 *
 * For callers that hold the GIL, outside of hooks. Each returns a new reference, or
 * NULL with an exception set. Tuples of names and numbers can be in no cycle, so the
 * garbage collector is not told of them: it would visit millions again and again.
 */
#pragma once

#include <stdint.h>

/* UTF-8 with lone surrogates, as the dump has it. */
void *traceback_object_text(const char *bytes, uint32_t length);

/* Takes the reference to the name, which may be NULL with an exception set. */
void *traceback_object_frame(void *filename, uint32_t line);

/* Of a block that no Python frame made. */
void *traceback_object_unknown(void);
