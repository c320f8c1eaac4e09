/* SPDX-License-Identifier: MIT */
/* The small programs of unwind tables, which say how a frame changes from instruction
 * to instruction (DWARF 5, 6.4.2), run up to one address. Pure; any thread, also inside
 * a hook; no lock, no memory. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "stack/native/native_bytes.h"
#include "stack/native/x86_64/native_rule.h"

enum { CFI_RETURN_ADDRESS = 16 }; /* the register that stands for the return address */

/* What the common information entry of a function says. */
struct cfi_common {
    uint64_t code_unit;
    int64_t data_unit;
    uint8_t encoding; /* of addresses */
    bool has_data;    /* augmentation data, with its length in front */
    bool is_signal;
    struct native_bytes start; /* the program that comes first */
};

/* Sets all of `out` but its function, which begins at out->function. `own`: the program
 * of the function alone. */
void cfi_interpreter_run(const struct cfi_common *common, struct native_bytes own,
                         uintptr_t address, struct native_cfi *out);
