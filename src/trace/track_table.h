/* SPDX-License-Identifier: MIT */
/* Blocks that the program tracks itself (PyTraceMalloc_Track): (domain, address) to
 * what is counted.
 *
 * An address is a number here: it need not be a block that a hook saw, each domain may
 * have a block of its own there, and only tracer_track and tracer_untrack know how the
 * two tables go together. Under the tracer's lock, or with one thread. Memory comes
 * from the arena.
 */
#pragma once

#include <stdint.h>

#include "base/compiler.h"

/* Counts the block in the domain with this index in the dump, instead of one that was
 * tracked there. 0; -ENOMEM; -ENOSPC: no bucket, see bucket_table.failure. */
must_check int track_table_insert(uint32_t domain, uintptr_t address, uint64_t size,
                                  uint32_t stack);
void track_table_remove(uint32_t domain, uintptr_t address);
/* As track_table_remove, but the block goes on counting. Its bucket, or 0. */
uint32_t track_table_take(uint32_t domain, uintptr_t address);
/* Calls `visit` with the address of each block of the domain. */
void track_table_visit(uint32_t domain, void (*visit)(uintptr_t address));
/* The bucket that counts the block, or 0. */
uint32_t track_table_find(uint32_t domain, uintptr_t address);
/* Forgets all, without counting. */
void track_table_clear(void);
