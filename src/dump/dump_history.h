/* SPDX-License-Identifier: MIT */
/* The history of a site: how its live bytes changed, window by window, and at what age
 * its blocks were freed. The traced process writes it as its buckets change, and a
 * reader adds what they say since (see struct tracemalloc_dump_bucket).
 *
 * Allocates nothing and takes no lock.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "tracemalloc_dump.h"

/* The epochs of one process, oldest first. */
struct dump_epochs {
    const struct tracemalloc_dump_epoch *entries;
    size_t count;
};

static inline bool dump_history_is_older(uint32_t stamp, uint32_t than) {
    return (int32_t)(stamp - than) < 0;
}

/* The blocks that a bucket held at the peak. */
static inline uint32_t dump_bucket_peak(const struct tracemalloc_dump_header *header,
                                        const struct tracemalloc_dump_bucket *bucket) {
    return dump_history_is_older(bucket->stamp, header->peak_number)
               ? bucket->live
               : bucket->peak_live;
}

/* The epoch that a stamp is of; 0 without epochs. */
uint32_t dump_history_epoch(struct dump_epochs epochs, uint32_t stamp);

/* Adds the change of `live` from `live_before`, which was in this epoch. `distance`:
 * the mean distance of samples, for which the change is scaled; 0: every block is
 * recorded. */
void dump_history_add(struct tracemalloc_dump_site *site,
                      const struct tracemalloc_dump_bucket *bucket, uint32_t distance,
                      uint32_t epoch);

/* Bytes that appeared in this epoch, or vanished, and are no births or deaths. */
void dump_history_add_bytes(struct tracemalloc_dump_site *site, uint32_t epoch,
                            int64_t bytes);

/* Each two epochs became one. */
void dump_history_halve(struct tracemalloc_dump_site *site);
