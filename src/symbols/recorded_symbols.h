/* SPDX-License-Identifier: MIT */
/* The symbols that a dump holds itself, so that it reads the same on a machine that has
 * not its modules. For offline code; one thread at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "dump/dump_reader.h"
#include "symbols/symbols.h"

/* The entries of an address: how many, 0 where it was not resolved. */
size_t recorded_symbols_find(const struct dump_reader *reader, uint32_t module,
                             uint64_t address,
                             const struct tracemalloc_dump_symbol **symbols);

/* Whether entries say anything: not, where nothing was found when they were made. */
bool recorded_symbols_tell(const struct dump_reader *reader,
                           const struct tracemalloc_dump_symbol *symbols, size_t count);

/* What became of the addresses of a dump. */
struct recorded_counts {
    size_t addresses;
    size_t named; /* with a function or a line */
};

/* Looks up all native frames of a dump as it was read, and puts what is found into its
 * section of symbols; what was recorded before stays. Allocates. 0, -ENOMEM or
 * -EFBIG. */
must_check int recorded_symbols_fill(struct dump_reader *reader,
                                     struct symbols *symbols,
                                     struct recorded_counts *counts);
