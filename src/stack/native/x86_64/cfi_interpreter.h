/* SPDX-License-Identifier: MIT */
/* Runs the call frame instructions of unwind tables, which say how a frame changes from
 * one instruction of its function to the next (DWARF 5, 6.4.2), up to one address. Our
 * own: those of libgcc and libunwind take the loader's lock on the way to it. Pure;
 * any thread, also in a hook; no lock, no memory. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "stack/native/native_bytes.h"
#include "stack/native/x86_64/native_rule.h"

enum { CFI_RETURN_ADDRESS = 16 }; /* the register that stands for the return address */

/* The common information entry of a function. */
struct cfi_common {
    uint64_t code_unit;
    int64_t data_unit;
    uint8_t encoding; /* of addresses */
    bool has_data;    /* augmentation data, with its length in front */
    bool is_signal;
    struct native_bytes start; /* call frame instructions that run first */
};

/* Sets `out` for an address of the function that begins at out->function. `own`: the
 * call frame instructions of this function alone. */
void cfi_interpreter_run(const struct cfi_common *common, struct native_bytes own,
                         uintptr_t address, struct native_cfi *out);
