/* SPDX-License-Identifier: MIT */
/* One step up the stack by libunwind, for the few frames whose rules refer to registers
 * that native_stack does not follow, or are expressions of any kind.
 *
 * Such a rule needs the values that the frame's function has in registers, so the step
 * begins in this module's own frame and goes outwards by libunwind alone until it
 * reaches the frame.
 *
 * The library that can read memory through functions of ours is used, not the one for
 * the own process (libunwind.so.8, which the former loads): that one remembers which
 * pages could be read, and holds a pipe to ask for it. Both make the pipe when they
 * initialise themselves; here that call gets two invalid descriptors.
 *
 *   libunwind    -> words     native_window: the kernel says what can be read
 *                -> tables    native_object: without the loader's lock
 *                -> registers those of the step's own frame
 */
#pragma once

#include <stdbool.h>

#include "base/compiler.h"
#include "stack/native/x86_64/native_registers.h"

/* Bytes of stack that a step needs beyond the rest of a walk: 2,192 were measured, and
 * expressions take more. */
enum { NATIVE_LIBUNWIND_ROOM = 4096 };

/* Outside hooks, after native_object_prepare and native_window_prepare; calls malloc
 * and the loader. `mark` is called at the beginning and end of each step: what
 * libunwind maps for itself is no allocation of the program. 0; -ENOENT if no libunwind
 * can be used. */
must_check int native_libunwind_prepare(void (*mark)(bool begins));

/* To the caller's frame, if native_libunwind_prepare has succeeded. Under the tracer's
 * lock, or with one thread; errno stays as it is. False at the root, without libunwind,
 * and if the caller is not found; `registers` are unchanged then. */
must_check bool native_libunwind_step(struct native_registers *registers);
