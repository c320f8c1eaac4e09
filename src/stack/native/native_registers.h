/* SPDX-License-Identifier: MIT */
/* A frame as its function has it at one instruction. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct native_registers {
    uint64_t ip;
    uint64_t sp;
    uint64_t rbp;
    const uint64_t *slot;     /* where ip was read */
    const uint64_t *rbp_slot; /* where rbp was read; NULL: it is in the register */
    bool exact; /* a signal interrupted it at ip; else a call returns there */
};
