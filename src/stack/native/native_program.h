/* SPDX-License-Identifier: MIT */
/* The small programs of unwind tables, which say how a frame changes from instruction
 * to instruction (DWARF 5, 6.4.2), run up to one address. Pure; any thread, also inside
 * a hook; no lock, no memory. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "stack/native/native_bytes.h"
#include "stack/native/native_rule.h"

enum {
    NATIVE_PROGRAM_RETURN = 16
}; /* the register that stands for the return address */

/* What the common information entry of a function says. */
struct native_program {
    uint64_t code_unit;
    int64_t data_unit;
    uint8_t encoding; /* of addresses */
    bool has_data;    /* augmentation data, with its length in front */
    bool is_signal;
    struct native_bytes start; /* the program that comes first */
};

/* Sets all of `out` but its function, which begins at out->function. `own`: the program
 * of the function alone. */
void native_program_run(const struct native_program *common, struct native_bytes own,
                        uintptr_t address, struct native_cfi *out);
