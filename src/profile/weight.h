/* SPDX-License-Identifier: MIT */
/* Bytes and blocks, counted or estimated, and what is to be known of an estimate.
 *
 * For offline code; pure; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct weight {
    uint64_t size; /* bytes */
    uint64_t count;
    /* Of an estimate, as a sampled dump gives (see profile/estimate.h): */
    bool estimated;
    uint64_t sampled; /* blocks that were recorded, those of exact dumps among them */
    double variance;  /* of the size, in bytes times bytes */
};

/* Sums may wrap on the way where what was added is taken away later. */
static inline void weight_add(struct weight *sum, struct weight weight) {
    sum->size += weight.size;
    sum->count += weight.count;
    sum->estimated |= weight.estimated;
    sum->sampled += weight.sampled;
    sum->variance += weight.variance;
}

/* Takes away a part that was added. */
static inline void weight_subtract(struct weight *sum, struct weight weight) {
    sum->size -= weight.size;
    sum->count -= weight.count;
    sum->estimated |= weight.estimated;
    sum->sampled -= weight.sampled;
    sum->variance -= weight.variance;
}

/* Orders by bytes, then by blocks: less than 0 if `a` is smaller, as for qsort. */
static inline int weight_compare(struct weight a, struct weight b) {
    if (a.size != b.size)
        return a.size < b.size ? -1 : 1;
    return (a.count > b.count) - (a.count < b.count);
}

/* The standard error that belongs to a variance; differences of variances may be a
 * little below 0. */
static inline double weight_error_of(double variance) {
    return variance > 0 ? __builtin_sqrt(variance) : 0;
}

/* The standard error of the size, in bytes. */
static inline double weight_error(struct weight weight) {
    return weight_error_of(weight.variance);
}
