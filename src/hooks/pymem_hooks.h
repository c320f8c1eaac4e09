/* SPDX-License-Identifier: MIT */
/* Wraps CPython's allocators: the raw, mem and obj domains (PyMem_SetAllocator).
 *
 * Only function pointers are replaced; each keeps its context. So whatever mixture of
 * old and new pointers another thread reads meanwhile is right, and the hooks may be
 * put in place at any moment. They stay in place when tracing stops, and then only pass
 * on.
 */
#pragma once

#include <stdbool.h>

#include "stack/python/python_runtime.h"

/* Wraps the domains that are not wrapped; nothing to do for those that are. Any
 * thread. */
void pymem_hooks_install(const struct python_runtime *runtime);
