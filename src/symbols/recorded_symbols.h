/* SPDX-License-Identifier: MIT */
/* The symbols recorded in a dump, so that it can be read on machines without its
 * modules. For offline code; one thread at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "dump/dump_reader.h"
#include "symbols/symbols.h"

/* Finds the entries of an address. Returns how many there are; 0 if it was not
 * resolved. */
size_t recorded_symbols_find(const struct dump_reader *reader, uint32_t module,
                             uint64_t address,
                             const struct tracemalloc_dump_symbol **symbols);

/* Whether the entries contain a name; they do not if nothing was found when the dump
 * was resolved. */
bool recorded_symbols_have_name(const struct dump_reader *reader,
                                const struct tracemalloc_dump_symbol *symbols,
                                size_t count);

/* The native addresses of a dump. */
struct recorded_counts {
    size_t addresses;
    size_t named; /* with a function or a line */
};

/* Looks up all native frames of a dump that was not changed since it was read, and adds
 * the names to its section of symbols, keeping those recorded before. Allocates. 0,
 * -ENOMEM or -EFBIG. */
must_check int recorded_symbols_fill(struct dump_reader *reader,
                                     struct symbols *symbols,
                                     struct recorded_counts *counts);
