/* SPDX-License-Identifier: MIT */
/* The whole name of a function that debug information describes. For offline code;
 * allocates; one thread at a time for one file. */
#pragma once

#include <elfutils/libdw.h>

#include "base/compiler.h"

/* A name to be freed: demangled where there is a mangled one, else with the namespaces,
 * classes and functions around it; NULL where there is none, or no memory. */
must_check char *symbol_scope_name(Dwarf_Die *function);
