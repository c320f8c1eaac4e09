/* SPDX-License-Identifier: MIT */
/* What was found of a module, kept in the user's cache directory by its build-id:
 * $XDG_CACHE_HOME or ~/.cache, tracemalloc/symbols/BUILD-ID.
 *
 * For offline code; allocates; one thread. Used only where the directories belong to
 * the user who runs the command and no one else may write to them, and switched off by
 * TRACEMALLOC_CACHE=0. A file is read as a stranger's: sizes are checked. It is
 * replaced as a whole; all files together are bounded, and the oldest are removed.
 *
 *     magic | u64 address, u32 frames | u32 line, u32 sizes of function and file name
 *           |                         |   (0: none; else with the NUL), their bytes
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "symbols/symbol.h"

/* A descriptor of the directory, or -1 where there is to be no cache. */
int symbol_cache_open(void);

/* One address with its frames, the outermost first; texts are valid during the call.
 * 0, or -errno that ends the reading. */
typedef int (*symbol_cache_visit)(void *context, uint64_t address,
                                  const struct symbol *frames, size_t count);

/* Visits what is kept of a build-id; nothing where a file is missing or damaged. 0, or
 * what `visit` returned. */
must_check int symbol_cache_read(int directory, const char *build_id,
                                 symbol_cache_visit visit, void *context);

/* A file that is being made, in memory. All zeros is an empty one. */
struct symbol_cache_file {
    char *bytes;
    size_t size;
};

/* 0 or -ENOMEM. */
must_check int symbol_cache_add(struct symbol_cache_file *file, uint64_t address,
                                const struct symbol *frames, size_t count);

/* Writes the file of a build-id and gives it back. Failures leave the old one. */
void symbol_cache_write(int directory, const char *build_id,
                        struct symbol_cache_file *file);
