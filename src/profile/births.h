/* SPDX-License-Identifier: MIT */
/* Which blocks are reported, by the time of their birth: what was allocated in a range
 * of time and is there now, or at another point in time.
 *
 * For offline code; allocates; one thread at a time. Births are known to an epoch: a
 * range is widened to the epochs that it touches. A dump keeps no birth of what was
 * freed, so the sums of all that was ever allocated are of all times.
 */
#pragma once

#include <stdbool.h>

#include "base/compiler.h"
#include "dump/dump_reader.h"
#include "profile/birth_range.h"

/* Reports of this dump are limited to a range; all blocks if it is not set. 0, -ENOMEM,
 * -ENODATA if there are no epochs, or an error of birth_range_resolve. */
must_check int births_select(struct dump_reader *reader,
                             const struct birth_range *range);

/* From when to when births are known; false without epochs. */
bool births_known(const struct dump_reader *reader, struct birth_span *known);

/* Calls `visit` for each epoch of all processes, by process and time. */
void births_each_epoch(const struct dump_reader *reader,
                       void (*visit)(void *context, uint32_t process, unsigned epoch,
                                     struct birth_span span),
                       void *context);

static inline bool births_include(const struct dump_reader *reader,
                                  const struct tracemalloc_dump_bucket *bucket) {
    const struct dump_births *births = &reader->births;
    if (births->epochs == NULL)
        return true;
    const struct tracemalloc_dump_site *site = &reader->sites[dump_bucket_site(bucket)];
    if (site->stack == TRACEMALLOC_DUMP_OVERFLOW_STACK)
        return false;
    return (births->epochs[site->process] >> bucket->birth % 64 & 1) != 0;
}
