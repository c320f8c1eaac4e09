/* SPDX-License-Identifier: MIT */
/* Which modules of a dump are the interpreter itself, whose frames reports fold into
 * one. For offline code; allocates; one thread at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "dump/dump_reader.h"

enum module_kind {
    MODULE_FOREIGN,
    MODULE_INTERPRETER, /* python3.13, libpython3.13.so.1.0 and the like */
    MODULE_LIBC,        /* it calls main() and the functions of threads */
};

/* The kind of each module, to be freed; NULL when there is no memory. */
enum module_kind *interpreter_modules_find(const struct dump_reader *reader);

enum { INTERPRETER_NAME_SIZE = 32 };

/* `CPython 3.13`: what stands for the frames that were folded. */
void interpreter_name(const struct dump_reader *reader,
                      char name[INTERPRETER_NAME_SIZE]);
