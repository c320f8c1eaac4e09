/* SPDX-License-Identifier: MIT */
/* Whether the loader has loaded or unloaded anything.
 *
 * The loader counts both, and reports the counts by dl_iterate_phdr, which takes its
 * lock. The counters themselves are read here, in glibc's _rtld_global:
 *
 *   struct link_map *loaded; unsigned count; ...    the first: the program's files
 *   ... unsigned long long adds; ...                found by its value, twice
 *
 * Code is put where other code was only after both have changed: a thread that runs it
 * sees that. native_loads_find once, outside hooks, before there is a second thread;
 * native_loads_now anywhere.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

struct native_loads {
    const uint64_t *adds; /* NULL: not found */
    const uint32_t *count;
};

extern struct native_loads native_loads;

/* How many objects the loader has loaded so far. Takes the loader's lock. */
uint64_t native_loads_added(void);

/* Loads and unloads a small library of glibc to see which words change. Whether the
 * counters were found. */
bool native_loads_find(void);

/* Changes whenever an object is loaded or unloaded. Only if the counters were found. */
static always_inline uint64_t native_loads_now(void) {
    uint64_t adds = __atomic_load_n(native_loads.adds, __ATOMIC_ACQUIRE);
    return adds << 32 | __atomic_load_n(native_loads.count, __ATOMIC_ACQUIRE);
}
