/* SPDX-License-Identifier: MIT */
/* Caches the symbols found in a module in the user's cache directory, $XDG_CACHE_HOME
 * or ~/.cache, as tracemalloc/symbols/NAME. A name is the module's build-id in
 * hexadecimal digits, `-`, and what else distinguishes modules, in the same digits.
 *
 * For offline code; allocates; one thread. Used only if the directories belong to the
 * user who runs the command and no other user may write to them; TRACEMALLOC_CACHE=0
 * turns it off. A file is not trusted: sizes are checked. It is replaced as a whole;
 * the size of all files together is bounded, and the oldest are removed.
 *
 *     magic | u64 address, u32 frames | u32 line, u32 sizes of function and file name
 *           |                         |   (NUL included; 0 if none), their bytes
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "symbols/symbol.h"

/* Returns a descriptor of the directory, or -1 if there is no cache. */
int symbol_cache_open(void);

/* Called with an address and its frames, outermost first; texts are valid during the
 * call. Returns 0, or -errno to stop. */
typedef int (*symbol_cache_visit)(void *context, uint64_t address,
                                  const struct symbol *frames, size_t count);

/* Visits what is cached by this name; nothing if the file is missing or damaged. 0, or
 * the error that `visit` returned. */
must_check int symbol_cache_read(int directory, const char *name,
                                 symbol_cache_visit visit, void *context);

/* The contents of a file to write. Empty when all zeros. */
struct symbol_cache_file {
    char *bytes;
    size_t size;
};

/* 0 or -ENOMEM. */
must_check int symbol_cache_add(struct symbol_cache_file *file, uint64_t address,
                                const struct symbol *frames, size_t count);

/* Writes the file of this name and frees the contents. If it fails, the old file
 * stays. */
void symbol_cache_write(int directory, const char *name,
                        struct symbol_cache_file *file);
