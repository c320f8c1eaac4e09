/* SPDX-License-Identifier: MIT */
/* The functions of one compilation unit in the order of their addresses, those that
 * were inlined with them: elfutils itself goes through the unit for each address.
 *
 * For offline code; allocates; one thread at a time. A unit's entries are read once,
 * when its first address is asked for.
 */
#pragma once

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "collection/array.h"

/* A function with machine code of its own, or one that was inlined. */
struct symbol_scope {
    Dwarf_Die die;
    uint32_t outer; /* the scope around it, or SYMBOL_SCOPE_NONE */
    bool inlined;
};

#define SYMBOL_SCOPE_NONE UINT32_MAX

struct symbol_unit {
    Dwarf_Die die;
    struct array scopes;    /* struct symbol_scope, outer before inner */
    struct array ranges;    /* of scopes, in the same order */
    struct array functions; /* those of `ranges` that are no inlined function's, by
                               address */
};

/* 0 or -ENOMEM; to be closed in both cases. The debug information outlives the unit. */
must_check int symbol_unit_open(struct symbol_unit *unit, const Dwarf_Die *die);

void symbol_unit_close(struct symbol_unit *unit);

/* The innermost scope at an address; NULL where no function is known. */
const struct symbol_scope *symbol_unit_find(const struct symbol_unit *unit,
                                            Dwarf_Addr address);

/* The scope around one; NULL for a function with machine code of its own. */
const struct symbol_scope *symbol_unit_outer(const struct symbol_unit *unit,
                                             const struct symbol_scope *scope);
