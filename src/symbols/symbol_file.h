/* SPDX-License-Identifier: MIT */
/* Reads a module's file with elfutils: the functions and lines at an address.
 *
 * For offline code; allocates; one thread at a time. See symbols/symbols.h for which
 * files are used. Files are named by the dump and may be damaged: elfutils checks them.
 */
#pragma once

#include <stdint.h>

#include "base/compiler.h"

struct symbol_file;

/* Called for each function at an address, innermost first. Texts are valid during the
 * call; NULL or 0 if unknown. Returns 0, or -errno to stop. */
typedef int (*symbol_visit)(void *context, const char *function, const char *filename,
                            uint32_t line);

/* Opens the file at `path` with this build-id. 0, -ENOENT if there is none, -ESTALE if
 * it has a different build-id, or -ENOMEM. */
must_check int symbol_file_open(struct symbol_file **file, const char *path,
                                const char *build_id);

/* `file` may be NULL. */
void symbol_file_close(struct symbol_file *file);

/* Visits the functions at an ELF virtual address; none if nothing is known. 0, or the
 * error that `visit` returned. */
must_check int symbol_file_find(struct symbol_file *file, uint64_t address,
                                symbol_visit visit, void *context);
