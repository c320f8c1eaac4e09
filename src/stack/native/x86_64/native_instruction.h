/* SPDX-License-Identifier: MIT */
/* The few instructions that unwinding looks at. Any thread, also in a hook. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Whether the bytes before `address` can be the instruction of a call, so that a call
 * may return there. Reads only what can be read. */
bool native_instruction_is_after_call(uintptr_t address);

/* Whether the code at `address`, which can be read, is what the kernel makes a signal
 * handler return to. */
bool native_instruction_is_signal_return(uintptr_t address);
