/* SPDX-License-Identifier: MIT */
/* What unwinding needs to know of the machine, in one directory for each architecture:
 *
 *   native_registers.h    the registers that a walk follows
 *   native_rule.h         how a frame's caller is found
 *   cfi_interpreter.h     finds that rule in the unwind tables
 *   native_expression.h   the expressions in them
 *   native_step.h         one step, from a frame to its caller
 *   native_libunwind.h    the same by libunwind, for rare rules
 *   native_instruction.h  the instructions that a walk inspects
 *
 * The directory is chosen here, in meson.build, and where native_step.h is included. An
 * architecture whose stacks are not walked has none. */
#pragma once

#include "stack/native/x86_64/cfi_interpreter.h"
#include "stack/native/x86_64/native_instruction.h"
#include "stack/native/x86_64/native_libunwind.h"
#include "stack/native/x86_64/native_registers.h"
#include "stack/native/x86_64/native_rule.h"
