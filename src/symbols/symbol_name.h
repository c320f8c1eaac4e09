/* SPDX-License-Identifier: MIT */
/* Names of C++ and Rust functions as their programmers wrote them. For offline code;
 * allocates; any thread. */
#pragma once

#include "base/compiler.h"

/* A name to be freed, demangled where it is mangled; NULL without memory. */
must_check char *symbol_name_copy(const char *name);
