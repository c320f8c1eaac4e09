/* SPDX-License-Identifier: MIT */
/* Finds the function, file and line of an address in an executable or shared object,
 * and the functions inlined there.
 *
 * For offline code; allocates; one thread at a time. A module is opened when its first
 * address is looked up. Its file is used only if its build-id is the recorded one.
 * Debug information may be in the file, in the file named by its debug link or in
 * /usr/lib/debug (by build-id), and comes from the network only if DEBUGINFOD_URLS is
 * set, for a bounded time. Each address is looked up once.
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

/* The frames at one address, outermost first: each after the first was inlined into the
 * one before it. Empty if nothing is known. */
struct symbol_list {
    const struct symbol *frames;
    size_t count;
};

enum symbol_module_state {
    SYMBOL_MODULE_UNUSED,    /* no address was looked up yet */
    SYMBOL_MODULE_FOUND,     /* its file or its debug file was found */
    SYMBOL_MODULE_ABSENT,    /* there is no readable file */
    SYMBOL_MODULE_DIFFERENT, /* the file has a different build-id */
};

/* 0 or -ENOMEM. */
must_check int symbols_open(struct symbols **symbols);

/* Uses the user's cache from now on (see symbols/symbol_cache.h). */
void symbols_use_cache(struct symbols *symbols);

/* `symbols` may be NULL. */
void symbols_close(struct symbols *symbols);

/* Finds or adds the module with this path and build-id (in hexadecimal digits), which
 * the table owns. 0 or -ENOMEM. */
must_check int symbols_module(struct symbols *symbols, struct dump_text path,
                              struct dump_text build_id, struct symbol_module **module);

/* Finds the frames at an ELF virtual address, which are valid until the next call. 0 or
 * -ENOMEM. */
must_check int symbols_find(struct symbols *symbols, struct symbol_module *module,
                            uint64_t address, struct symbol_list *list);

/* Returns the modules in the order in which they were added, from 0; NULL after the
 * last. */
const struct symbol_module *symbols_module_at(const struct symbols *symbols,
                                              size_t number);

enum symbol_module_state symbols_module_state(const struct symbol_module *module);
const char *symbols_module_path(const struct symbol_module *module);
