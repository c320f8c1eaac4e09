/* SPDX-License-Identifier: MIT */
#include "dump/sample_weight.h"

__extension__ typedef unsigned __int128 wide;

/* exp(-44) is less than 2^-63. */
enum { ALL_SAMPLED = 44 };

static uint64_t multiply(uint64_t first, uint64_t second) {
    return (uint64_t)((wide)first * second >> 64);
}

/* exp(-u) in units of 2^-64, u in units of 2^-32, by the powers of exp(-2^-32), which
 * is 1 - 2^-32 + 2^-65. */
static uint64_t exponential(uint64_t u) {
    uint64_t power = UINT64_MAX - ((uint64_t)1 << 32) + 1, product = UINT64_MAX;
    for (; u != 0; u >>= 1) {
        if ((u & 1) != 0)
            product = multiply(product, power);
        power = multiply(power, power);
    }
    return product;
}

/* u / (1 - exp(-u)) = 1 + u / 2 + u^2 / 12 - u^4 / 720 + u^6 / 30240 ... */
static uint64_t small_weight(uint64_t size, uint64_t distance) {
    uint64_t square = (size * size + distance / 2) / distance;
    uint64_t fourth = square * square / distance;
    return distance + (size * 60 + square * 10 - fourth / 6 + 60) / 120;
}

uint64_t sample_weight(uint64_t size, uint32_t distance) {
    if (size == 0)
        return 0;
    if (size >= (uint64_t)distance * ALL_SAMPLED)
        return size;
    if (size < distance / 4)
        return small_weight(size, distance);
    uint64_t missed = exponential((uint64_t)(((wide)size << 32) / distance));
    uint64_t sampled = UINT64_MAX - missed;
    return (uint64_t)((((wide)size << 64) + sampled / 2) / sampled);
}
