/* SPDX-License-Identifier: MIT */
/* The symbols of a dump's modules: report/symbols.h, asked by the ids of the dump. For
 * offline code; allocates; one thread at a time. */
#pragma once

#include <stdint.h>

#include "base/compiler.h"
#include "dump/dump_reader.h"
#include "symbols/symbols.h"

struct dump_symbols {
    const struct dump_reader *reader;
    struct symbols *symbols;        /* NULL: nothing is found */
    struct symbol_module **modules; /* by module; NULL where not yet asked for */
};

/* 0 or -ENOMEM. Dump and symbols outlive it. */
must_check int dump_symbols_open(struct dump_symbols *symbols,
                                 const struct dump_reader *reader,
                                 struct symbols *table);

void dump_symbols_close(struct dump_symbols *symbols);

/* As symbols_find. */
must_check int dump_symbols_find(struct dump_symbols *symbols, uint32_t module,
                                 uint64_t address, struct symbol_list *list);
