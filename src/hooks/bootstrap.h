/* SPDX-License-Identifier: MIT */
/* Memory for what allocates before the real malloc is known: dlsym itself may call
 * calloc.
 *
 * A static pool that is never reused; it knows its own pointers. Before there is a
 * second thread, or in it: the counter is atomic. Blocks are aligned to 16 bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Zeroed; NULL when the pool is used up. */
void *bootstrap_allocate(size_t size);
bool bootstrap_owns(const void *block);
/* Bytes of a block that may be used. */
size_t bootstrap_size(const void *block);
