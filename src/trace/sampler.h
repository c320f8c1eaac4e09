/* SPDX-License-Identifier: MIT */
/* Which allocations are sampled: those that hold a point of a Poisson process over the
 * bytes that a thread allocates.
 *
 * The points are on average `distance` bytes apart, and the bytes between two of them
 * are geometrically distributed. So a block of s bytes is sampled with probability
 * 1 - exp(-s / distance), whatever was allocated before it: nothing that the thread
 * does between two allocations, and no allocation that is not counted down, makes the
 * next one likelier. Blocks much larger than the distance are all sampled.
 *
 * A thread has a sampler of its own, all zeros at first. Integers only, for the flags
 * of floating-point arithmetic are the program's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

struct sampler {
    uint64_t left;   /* bytes up to and with the next point; 0: there is no state yet */
    uint64_t random; /* state of the generator; 0: not seeded */
};

/* Counts down an allocation that holds no point. True: it may hold one, and nothing is
 * counted; sampler_take decides on it. */
static always_inline bool sampler_is_due(struct sampler *sampler, uint64_t size) {
    uint64_t left = sampler->left;
    if (unlikely(size >= left))
        return true;
    sampler->left = left - size;
    return false;
}

/* Whether an allocation that is due is sampled. If it is, the next point is drawn. If
 * the sampler had no state yet, it begins here, and the allocation need not hold its
 * first point. */
bool sampler_take(struct sampler *sampler, uint64_t size, uint32_t distance);

/* Begins at a point of its own: `seed` is any number. */
void sampler_seed(struct sampler *sampler, uint64_t seed, uint32_t distance);
/* In the child of a fork, which must not repeat its parent's samples: as new. */
void sampler_forget(struct sampler *sampler);
