/* SPDX-License-Identifier: MIT */
/* What native code is called: function, file and line of an address in an executable
 * or a shared object, with the functions that were inlined there.
 *
 * For offline code; allocates; one thread at a time. A module is opened when its first
 * address is asked for. Its file counts only where its build-id is the one that was
 * recorded. Debug information may be in the file, in one beside it (by debug link) or
 * under /usr/lib/debug (by build-id), and comes from the network only where
 * DEBUGINFOD_URLS is set, for a bounded time. Each address is looked up once.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "dump/dump_reader.h"
#include "symbols/symbol.h"

struct symbols;
struct symbol_module;

/* The frames at one address, the outermost first: what follows the first was inlined
 * into what is before it. None where nothing is known. */
struct symbol_list {
    const struct symbol *frames;
    size_t count;
};

enum symbol_module_state {
    SYMBOL_MODULE_UNUSED,    /* nothing was asked of it yet */
    SYMBOL_MODULE_FOUND,     /* its file, or a debug file of it */
    SYMBOL_MODULE_ABSENT,    /* no file, or none that can be read */
    SYMBOL_MODULE_DIFFERENT, /* a file with another build-id */
};

/* 0 or -ENOMEM. */
must_check int symbols_open(struct symbols **symbols);

/* From now on what was found is taken from the user's cache and kept there. */
void symbols_use_cache(struct symbols *symbols);

/* NULL is allowed. */
void symbols_close(struct symbols *symbols);

/* The module of a path and a build-id in hexadecimal digits, known or new; it is the
 * table's. 0 or -ENOMEM. */
must_check int symbols_module(struct symbols *symbols, struct dump_text path,
                              struct dump_text build_id, struct symbol_module **module);

/* The frames at an ELF virtual address, valid until the next call. 0 or -ENOMEM. */
must_check int symbols_find(struct symbols *symbols, struct symbol_module *module,
                            uint64_t address, struct symbol_list *list);

/* The modules in the order in which they were named, from 0 on; NULL behind the
 * last. */
const struct symbol_module *symbols_module_at(const struct symbols *symbols,
                                              size_t number);

enum symbol_module_state symbols_module_state(const struct symbol_module *module);
const char *symbols_module_path(const struct symbol_module *module);
