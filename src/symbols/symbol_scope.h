/* SPDX-License-Identifier: MIT */
/* The qualified name of a function in debug information. For offline code; allocates;
 * one thread at a time for one file. */
#pragma once

#include <elfutils/libdw.h>

#include "base/compiler.h"

/* Returns the demangled name if there is a mangled one, else the name with the
 * enclosing namespaces, classes and functions. The caller frees it; NULL if there is no
 * name, or no memory. */
must_check char *symbol_scope_name(Dwarf_Die *function);
