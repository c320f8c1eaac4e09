/* SPDX-License-Identifier: MIT */
/* The tracer's private memory: pages straight from the kernel, zeroed, never from
 * malloc. Our own: the allocator of a library would be one that the tracer observes.
 *
 * Any thread; the counter is atomic. Sizes are in bytes and are rounded up to pages.
 * What is mapped here is counted in arena_bytes(), the tracer's own cost without the
 * dump file.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/* NULL if the kernel has no memory. */
must_check void *arena_map(size_t size);
/* Reserves addresses without a claim on memory or swap, and does not count them: for
 * tables of which few pages are ever touched. */
must_check void *arena_reserve(size_t size);
/* Makes whole pages zero again, and gives them back unless the program locked them in
 * memory. */
void arena_clear(void *memory, size_t size);
void arena_unmap(void *memory, size_t size);
/* May move the memory. NULL if it cannot grow, and the old memory is unchanged. */
must_check void *arena_grow(void *memory, size_t old_size, size_t size);

uint64_t arena_bytes(void);
