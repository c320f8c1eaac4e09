/* SPDX-License-Identifier: MIT */
/* Serves allocations before the real malloc is known: dlsym, which finds it, may itself
 * call calloc.
 *
 * A static pool whose memory is never reused, and which recognises its own blocks. Any
 * thread: the counter is atomic. Blocks are aligned to 16 bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Zeroed; NULL if the pool is used up. */
void *bootstrap_allocate(size_t size);
bool bootstrap_owns(const void *block);
/* The size that was asked for. */
size_t bootstrap_size(const void *block);
