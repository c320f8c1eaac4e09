/* SPDX-License-Identifier: MIT */
/* Where a walk over the test program's own stack begins. */
#pragma once

#include "stack/native/native_stack.h"

/* The frame that calls this: `frame` is __builtin_frame_address(0) in the function that
 * is not to be part of it. */
static inline struct native_registers native_leaf(const uint64_t *frame) {
    return (struct native_registers){
        .ip = frame[1],
        .sp = (uint64_t)(uintptr_t)(frame + 2),
        .rbp = frame[0],
        .slot = frame + 1,
    };
}
