/* SPDX-License-Identifier: MIT */
/* The file of a module, as elfutils reads it: the functions and lines at an address.
 *
 * For offline code; allocates; one thread at a time. See report/symbols.h for what
 * files count. Files come from whoever made the dump, and may be damaged: elfutils
 * checks them.
 */
#pragma once

#include <stdint.h>

#include "base/compiler.h"

struct symbol_file;

/* Where the functions of an address go, the innermost first. Texts are valid during the
 * call; NULL and 0 where unknown. 0, or -errno that ends the search. */
typedef int (*symbol_visit)(void *context, const char *function, const char *filename,
                            uint32_t line);

/* Opens the file at `path` with that build-id. 0, -ENOENT where there is none, -ESTALE
 * where its build-id is another, -ENOMEM. */
must_check int symbol_file_open(struct symbol_file **file, const char *path,
                                const char *build_id);

/* NULL is allowed. */
void symbol_file_close(struct symbol_file *file);

/* Visits the functions at an ELF virtual address; none where nothing is known. 0, or
 * what `visit` returned. */
must_check int symbol_file_find(struct symbol_file *file, uint64_t address,
                                symbol_visit visit, void *context);
