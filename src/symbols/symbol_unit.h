/* SPDX-License-Identifier: MIT */
/* Finds the functions of one compilation unit by address, with those inlined into them.
 * elfutils would scan the unit each time.
 *
 * For offline code; allocates; one thread at a time. A unit is read once, when its
 * first address is looked up.
 */
#pragma once

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "collection/array.h"

/* A function with its own machine code, or an inlined one. */
struct symbol_scope {
    Dwarf_Die die;
    uint32_t outer; /* if inlined, the scope that contains it; else SYMBOL_SCOPE_NONE */
    bool inlined;
};

#define SYMBOL_SCOPE_NONE UINT32_MAX

struct symbol_unit {
    Dwarf_Die die;
    struct array scopes;    /* struct symbol_scope, outer before inner */
    struct array ranges;    /* struct range, in the order of the scopes */
    struct array functions; /* struct function: the ranges that are not inlined, by
                               address */
};

/* 0 or -ENOMEM; must be closed in both cases. The debug information must outlive the
 * unit. */
must_check int symbol_unit_open(struct symbol_unit *unit, const Dwarf_Die *die);

void symbol_unit_close(struct symbol_unit *unit);

/* Returns the innermost scope at an address; NULL if no function is known. */
const struct symbol_scope *symbol_unit_find(const struct symbol_unit *unit,
                                            Dwarf_Addr address);

/* Returns the scope into which one was inlined; NULL if it was not. */
const struct symbol_scope *symbol_unit_outer(const struct symbol_unit *unit,
                                             const struct symbol_scope *scope);
