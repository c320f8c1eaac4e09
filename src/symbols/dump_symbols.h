/* SPDX-License-Identifier: MIT */
/* Looks up symbols by the module ids of a dump (see symbols/symbols.h). For offline
 * code; allocates; one thread at a time. */
#pragma once

#include <stdint.h>

#include "base/compiler.h"
#include "dump/dump_reader.h"
#include "symbols/symbols.h"

struct dump_symbols {
    const struct dump_reader *reader;
    struct symbols *symbols;        /* if NULL, nothing is found */
    struct symbol_module **modules; /* by module; NULL until first looked up */
};

/* 0 or -ENOMEM. Dump and symbols must outlive it. */
must_check int dump_symbols_open(struct dump_symbols *symbols,
                                 const struct dump_reader *reader,
                                 struct symbols *table);

void dump_symbols_close(struct dump_symbols *symbols);

/* Like symbols_find; nothing is found for code without a module. */
must_check int dump_symbols_find(struct dump_symbols *symbols, uint32_t module,
                                 uint64_t address, struct symbol_list *list);
