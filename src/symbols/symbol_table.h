/* SPDX-License-Identifier: MIT */
/* The ELF symbols of a module by address: elfutils itself goes over
 * all of them for each address.
 *
 * For offline code; allocates; one thread at a time.
 */
#pragma once

#include <elfutils/libdwfl.h>
#include <stdint.h>

#include "base/compiler.h"
#include "collection/array.h"

struct symbol_table {
    struct array entries; /* by address; struct symbol_table_entry */
};

/* Reads the symbols of a module, which outlives the table. 0 or -ENOMEM; to be
 * closed in both cases. */
must_check int symbol_table_open(struct symbol_table *table, Dwfl_Module *module);

void symbol_table_close(struct symbol_table *table);

/* The name of the symbol whose size covers an address, or NULL: in stripped code the
 * nearest exported symbol is most often another function. Of several, the innermost. */
const char *symbol_table_find(const struct symbol_table *table, GElf_Addr address);
