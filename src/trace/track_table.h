/* SPDX-License-Identifier: MIT */
/* Blocks that somebody else's allocator told of (PyTraceMalloc_Track): (domain,
 * address) to what is counted.
 *
 * Such a block may have the address of one that we saw ourselves, and each domain its
 * own block there, so they have a table of their own beside the block map. Under the
 * tracer's lock, or with one thread. Memory comes from the arena.
 */
#pragma once

#include <stdint.h>

#include "base/compiler.h"

/* Counts the block in the domain with this index in the dump, instead of one that was
 * tracked there. 0, or -ENOMEM. */
must_check int track_table_insert(uint32_t domain, uintptr_t address, uint64_t size,
                                  uint32_t stack);
void track_table_remove(uint32_t domain, uintptr_t address);
/* The site that counts the block, or 0. */
uint32_t track_table_find(uint32_t domain, uintptr_t address);
/* Forgets all, without counting. */
void track_table_clear(void);
