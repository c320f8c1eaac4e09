/* SPDX-License-Identifier: MIT */
/* Demangles the names of C++ and Rust functions. For offline code; allocates; any
 * thread. */
#pragma once

#include "base/compiler.h"

/* Returns a copy of a name, demangled if it is mangled. The caller frees it; NULL if
 * there is no memory. */
must_check char *symbol_name_copy(const char *name);
