/* SPDX-License-Identifier: MIT */
/* Whether a call may return to an address. A walk must ask, for any word of the stack
 * may look like a return address.
 *
 * Under the tracer's lock, or with one thread; allocates nothing. Opens and closes a
 * file of /proc for code that it has not seen before.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "stack/native/native_object.h"

/* One more than the highest address that a program can have. */
enum { NATIVE_CODE_BITS = 47 };

/* Whether the address is in code of this object. */
bool native_code_is_of(const struct native_object *object, uintptr_t address);

/* Whether it is in executable memory of no object, after a call instruction. */
bool native_code_is_new(uintptr_t address);
