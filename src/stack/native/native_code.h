/* SPDX-License-Identifier: MIT */
/* Whether a call may return to an address: what a walk takes for a return address may
 * be any word.
 *
 * Under the tracer's lock, or with one thread; allocates nothing. Opens and closes a
 * file of /proc for code that it has not met.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "stack/native/native_object.h"

/* One more than the highest address that a program can have. */
enum { NATIVE_CODE_BITS = 47 };

/* In code of the object that was found for it. */
bool native_code_is_of(const struct native_object *object, uintptr_t address);

/* In executable memory of no object, behind the instruction of a call. */
bool native_code_is_new(uintptr_t address);
