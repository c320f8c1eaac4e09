/* SPDX-License-Identifier: MIT */
/* Maps the blocks that the program tracks itself (PyTraceMalloc_Track) from (domain,
 * address) to the bucket that counts them.
 *
 * An address is only a number here: no hook need have seen a block there, and each
 * domain may have one at the same address. tracer_track and tracer_untrack keep this
 * table and the block map consistent. Under the tracer's lock, or with one thread.
 * Memory comes from the arena.
 */
#pragma once

#include <stdint.h>

#include "base/compiler.h"

/* Counts the block in the domain with this index in the dump, and replaces one that is
 * tracked at this address there. 0; -ENOMEM; -ENOSPC if there is no bucket, for the
 * reason in bucket_table.failure. */
must_check int track_table_insert(uint32_t domain, uintptr_t address, uint64_t size,
                                  uint32_t stack);
void track_table_remove(uint32_t domain, uintptr_t address);
/* As track_table_remove, but returns the bucket, which still counts the block; or 0. */
uint32_t track_table_take(uint32_t domain, uintptr_t address);
/* Calls `visit` with the address of each block of the domain. */
void track_table_visit(uint32_t domain, void (*visit)(uintptr_t address));
/* The bucket that counts the block, or 0. */
uint32_t track_table_find(uint32_t domain, uintptr_t address);
/* Removes all blocks; leaves the counters unchanged. */
void track_table_clear(void);
