/* SPDX-License-Identifier: MIT */
/* What a block counts in its bucket and in the header's totals. In a sampled process it
 * counts once in the bucket, and in the totals all the bytes that it stands for, but in
 * the mmap domain, where every block is counted.
 *
 * Under the tracer's lock, or with one thread. live_block_count and
 * live_block_uncount are the same for a process where every block is recorded.
 */
#pragma once

#include <stdint.h>

/* Bucket 0 is no bucket. */
void block_count_add(uint32_t bucket);
void block_count_remove(uint32_t bucket);
