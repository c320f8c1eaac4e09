/* SPDX-License-Identifier: MIT */
/* Wraps CPython's allocators: the raw, mem and obj domains (PyMem_SetAllocator).
 *
 * Only the function pointers are replaced, and each domain keeps its context. Another
 * thread that reads a mixture of old and new pointers meanwhile is served correctly, so
 * the hooks can be installed and removed at any time. They stay in place when tracing
 * stops, and then only pass calls on.
 */
#pragma once

#include <stdbool.h>

#include "stack/python/python_runtime.h"

/* Wraps the domains that are not wrapped yet. Any thread. */
void pymem_hooks_install(const struct python_runtime *runtime);
/* Puts back what was wrapped, but for a domain that another wraps by now. Any
 * thread. */
void pymem_hooks_remove(const struct python_runtime *runtime);
