/* SPDX-License-Identifier: MIT */
/* Finds the modules of a dump that belong to the interpreter, whose frames reports fold
 * into one. For offline code; allocates; one thread at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "dump/dump_reader.h"

enum module_kind {
    MODULE_FOREIGN,
    MODULE_INTERPRETER, /* python3.13, libpython3.13.so.1.0 and so on */
    MODULE_LIBC,        /* calls main() and thread functions */
};

/* Returns the kind of each module. The caller frees the array; NULL if there is no
 * memory. */
enum module_kind *interpreter_modules_find(const struct dump_reader *reader);

enum { INTERPRETER_NAME_SIZE = 32 };

/* Writes `CPython 3.13`, the name of folded frames. */
void interpreter_name(const struct dump_reader *reader,
                      char name[INTERPRETER_NAME_SIZE]);
