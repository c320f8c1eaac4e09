/* SPDX-License-Identifier: MIT */
/* A frame as its function has it at one instruction. */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <ucontext.h>

#include "base/compiler.h"
#include "stack/native/native_word.h"

struct native_registers {
    uint64_t ip;
    uint64_t sp;
    uint64_t rbp;
    const uint64_t *slot;     /* where ip was read */
    const uint64_t *rbp_slot; /* where rbp was read; NULL: it is in the register */
    bool exact; /* a signal interrupted it at ip; else a call returns there */
};

/* Of a function's caller, from __builtin_frame_address(0) in the function: there the
 * caller's rbp lies, and behind it the return address. */
static always_inline struct native_registers
native_registers_of_caller(const uint64_t *frame) {
    return (struct native_registers){
        .ip = frame[1],
        .sp = (uint64_t)(uintptr_t)(frame + 2),
        .rbp = frame[0],
        .slot = frame + 1,
    };
}

/* The stack pointer of what a signal interrupted, whose `slot` is in the registers that
 * the kernel left. */
static always_inline uint64_t native_registers_interrupted_sp(const uint64_t *slot) {
    static_assert(REG_RIP == REG_RSP + 1, "order of the registers");
    return native_word(slot - 1);
}
