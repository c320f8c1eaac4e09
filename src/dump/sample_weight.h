/* SPDX-License-Identifier: MIT */
/* What one sampled block stands for, in whole bytes: size / p, where p is the
 * probability 1 - exp(-size / distance) with which it was sampled (see
 * trace/sampler.h). That is the distance for small blocks, and the size for large ones.
 *
 * The traced process keeps its sums with these; reports divide anew, without rounding
 * (profile/estimate.h). Pure; any thread; integers only.
 */
#pragma once

#include <stdint.h>

/* Within one of the exact number and 10^-7 of it. `distance` is at most 2^30; 0: every
 * block is recorded, and stands for itself. */
uint64_t sample_weight(uint64_t size, uint32_t distance);
