/* SPDX-License-Identifier: MIT */
/* Finds the compilation units of a module by address. For offline code; allocates; one
 * thread at a time. */
#pragma once

#include <elfutils/libdwfl.h>
#include <stdbool.h>

#include "base/compiler.h"
#include "collection/array.h"
#include "collection/id_map.h"
#include "symbols/symbol_unit.h"

struct symbol_units {
    Dwfl_Module *module;
    struct array ranges; /* of all units, by address; read if there is no index */
    bool has_ranges;
    struct id_map ids;  /* of the units looked up, by address of their entry */
    struct array units; /* struct symbol_unit *, by id */
};

/* The module must outlive the units. */
void symbol_units_open(struct symbol_units *units, Dwfl_Module *module);

void symbol_units_close(struct symbol_units *units);

/* Finds the unit at an address, NULL if unknown, and what elfutils adds to the
 * addresses of its debug information. The unit is valid until the units are closed. 0
 * or -ENOMEM. */
must_check int symbol_units_find(struct symbol_units *units, Dwarf_Addr address,
                                 struct symbol_unit **unit, Dwarf_Addr *bias);
