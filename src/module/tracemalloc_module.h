/* SPDX-License-Identifier: MIT */
/* The module _tracemalloc, over our tables.
 *
 * By PyImport_Inittab the import of _tracemalloc calls us. We create the interpreter's
 * own (builtin) module and replace the C functions of its methods, so that names,
 * docstrings, signatures and checks of arguments are those of this very version. The
 * builtin start() is still called, for its checks, and its stop() right after it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "stack/python/python_runtime.h"

/* Before the interpreter initialises: replaces the entry of PyImport_Inittab. native:
 * Python code sees blocks of libc and mmap too. */
void tracemalloc_module_install(const struct python_runtime *runtime, bool native);
/* -X tracemalloc=nframe was given, so the interpreter will start its own tracer:
 * prevents that, or stops it. With the GIL, at the first Python frame. */
void tracemalloc_module_suppress_builtin(const struct python_runtime *runtime,
                                         long nframe);
/* What _PyTraceMalloc_GetTraceback returns: a new tuple, or None. With the GIL. */
void *tracemalloc_module_traceback(uint32_t domain, uintptr_t block);
