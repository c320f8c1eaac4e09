/* SPDX-License-Identifier: MIT */
/* What the sampled blocks of a dump stand for.
 *
 * A process that samples records a block of s bytes with probability
 * p = 1 - exp(-s / distance), each block by itself (struct tracemalloc_dump_bucket). So
 * a recorded block stands for 1 / p blocks of its size, and the sum of these is an
 * unbiased estimate (Horvitz and Thompson, 1952). All blocks of a bucket have one size:
 * each bucket is scaled by itself, before anything is summed.
 *
 *   size      sum of s / p              count     sum of 1 / p
 *   variance  sum of s^2 (1 - p) / p^2, an unbiased estimate of that of the size
 *
 * For offline code; pure; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dump/dump_reader.h"
#include "profile/weight.h"

/* Whether blocks of any process of the dump were sampled. */
bool estimate_is_needed(const struct dump_reader *reader);

/* What is not yet rounded. */
struct estimate {
    double size;
    double count;
    double variance;
    uint64_t sampled;
};

/* Adds `blocks` recorded blocks of a bucket. */
void estimate_add(struct estimate *sum, const struct dump_reader *reader,
                  const struct tracemalloc_dump_bucket *bucket, uint64_t blocks);
/* Adds what a site ever allocated in buckets that it has no longer. Its sums are
 * estimates already, of unknown sizes: the variance is the largest that they can have,
 * which for small blocks is what they have. */
void estimate_add_site(struct estimate *sum, const struct dump_reader *reader,
                       size_t site);

/* In whole bytes and blocks. `key` is the number of what is estimated: numbers in a row
 * are rounded so that their sum is right, and one is always rounded in the same way. */
struct weight estimate_round(const struct estimate *sum, size_t key);
