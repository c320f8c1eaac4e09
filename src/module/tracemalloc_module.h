/* SPDX-License-Identifier: MIT */
/* The module _tracemalloc on our tables.
 *
 * PyImport_Inittab leads the import of _tracemalloc to us. We make the interpreter's
 * own module and exchange the C functions of its methods, so that names, docstrings,
 * signatures and the checks of arguments are those of this very version. Its start() is
 * still called, for its checks, and its stop() right after.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "stack/python/python_runtime.h"

/* Before the interpreter initialises: exchanges the entry. native: whether Python code
 * sees libc and mmap blocks. */
void tracemalloc_module_install(const struct python_runtime *runtime, bool native);
/* -X tracemalloc=nframe was given: the interpreter is going to start its own tracer,
 * which this prevents or ends. With the GIL, at the first Python frame. */
void tracemalloc_module_suppress_builtin(const struct python_runtime *runtime,
                                         long nframe);
/* What _PyTraceMalloc_GetTraceback returns: a new tuple, or None. With the GIL. */
void *tracemalloc_module_traceback(uint32_t domain, uintptr_t block);
