/* SPDX-License-Identifier: MIT */
/* Finds ELF symbols of a module by address. elfutils would scan all of them each time.
 *
 * For offline code; allocates; one thread at a time.
 */
#pragma once

#include <elfutils/libdwfl.h>
#include <stdint.h>

#include "base/compiler.h"
#include "collection/array.h"

struct symbol_table {
    struct array entries; /* struct symbol_table_entry, by address */
};

/* Reads the symbols of a module, which must outlive the table. 0 or -ENOMEM; must be
 * closed in both cases. */
must_check int symbol_table_open(struct symbol_table *table, Dwfl_Module *module);

void symbol_table_close(struct symbol_table *table);

/* Returns the name of the symbol whose range contains an address, the innermost if
 * there are several; or NULL. The nearest symbol would not do: in stripped code it is
 * usually a different function. */
const char *symbol_table_find(const struct symbol_table *table, GElf_Addr address);
