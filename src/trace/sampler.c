/* SPDX-License-Identifier: MIT */
#include "trace/sampler.h"

#include <time.h>

#include "base/hash.h"
#include "base/sys.h"

/* ln 2 in units of 2^-32. */
static const uint64_t ln_2 = 2977044472u;

/* Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014). */
static uint64_t mix(uint64_t number) {
    number = (number ^ number >> 30) * 0xbf58476d1ce4e5b9u;
    number = (number ^ number >> 27) * 0x94d049bb133111ebu;
    return number ^ number >> 31;
}

static uint64_t next_random(struct sampler *sampler) {
    return mix(sampler->random += 0x9e3779b97f4a7c15u);
}

/* -log2(number / 2^64) in units of 2^-32, for a number that is not 0: its leading
 * zeros, and the digits of its logarithm, each by squaring the rest. */
static uint64_t negative_log2(uint64_t number) {
    unsigned zeros = (unsigned)__builtin_clzll(number);
    uint64_t rest = number << zeros, digits = 0;
    for (int digit = 31; digit >= 0; digit--) {
        __extension__ unsigned __int128 square = (unsigned __int128)rest * rest;
        bool carries = square >> 127 != 0;
        rest = (uint64_t)(square >> (carries ? 64 : 63));
        digits |= (uint64_t)carries << digit;
    }
    return ((uint64_t)(zeros + 1) << 32) - digits;
}

/* The bytes up to a point, that byte included: an exponentially distributed number,
 * rounded up, is geometrically distributed. */
static uint64_t draw(struct sampler *sampler, uint32_t distance) {
    uint64_t number = next_random(sampler) | 1;
    __extension__ unsigned __int128 bytes =
        (unsigned __int128)negative_log2(number) * ln_2 * distance;
    return (uint64_t)(bytes >> 64) + 1;
}

void sampler_seed(struct sampler *sampler, uint64_t seed, uint32_t distance) {
    /* Mixed, or near seeds would begin at different places of one sequence. */
    sampler->random = mix(seed + 1) | 1;
    sampler->left = draw(sampler, distance);
}

static uint64_t find_seed(const struct sampler *sampler) {
    static uint64_t count;
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t time = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    uint64_t number = __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED);
    return hash_pair(hash_pair((uintptr_t)sampler, number),
                     hash_pair(time, (uint64_t)sys_getpid()));
}

bool sampler_take(struct sampler *sampler, uint64_t size, uint32_t distance) {
    if (sampler->random == 0) {
        sampler_seed(sampler, find_seed(sampler), distance);
        if (!sampler_is_due(sampler, size))
            return false;
    }
    sampler->left = draw(sampler, distance);
    return true;
}

void sampler_forget(struct sampler *sampler) {
    __atomic_store_n(&sampler->random, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&sampler->left, 0, __ATOMIC_RELAXED);
}
