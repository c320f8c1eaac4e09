/* SPDX-License-Identifier: MIT */
/* The arenas that the interpreter holds: the memory that its allocator mapped for
 * objects, as ranges of addresses.
 *
 * Neighbours are one range, so that there are few. Under the tracer's lock, or with one
 * thread. Memory comes from the arena.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "trace/event_guard.h"

/* Without memory for it, a range is left out. */
void python_arenas_add(struct event_guard guard, uintptr_t start, size_t length);
/* Removes what is in the range: the kernel maps something else there, or nothing. */
void python_arenas_remove(struct event_guard guard, uintptr_t start, size_t length);
/* The length of all ranges. */
uint64_t python_arenas_bytes(void);
void python_arenas_clear(void);
