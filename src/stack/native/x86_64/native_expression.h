/* SPDX-License-Identifier: MIT */
/* Expressions in unwind tables (DWARF 5, 2.5), as far as they come to the value of one
 * register and a constant at a given instruction: those that assemblers make for the
 * stubs of calls to other files, and compilers for realigned stacks. Pure; any thread,
 * also inside a hook; no lock, no memory. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "stack/native/native_bytes.h"

struct native_expression {
    uint64_t base;  /* DWARF's number of rbp or rsp; NATIVE_EXPRESSION_CONSTANT */
    int64_t offset; /* bytes from the register's value */
    bool is_word;   /* the value is the word that lies there */
};

enum { NATIVE_EXPRESSION_CONSTANT = 0 };

/* Reads the expression's length, and then all of it. `address` is that of the
 * instruction. 0; -ENOTSUP when it says more. */
must_check int native_expression_read(struct native_bytes *from, uint64_t address,
                                      struct native_expression *out);
