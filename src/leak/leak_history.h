/* SPDX-License-Identifier: MIT */
/* What a dump says about the blocks of some sites of one process over time: how many of
 * those born in each epoch live now, at what age the others died, and how the bytes
 * rose.
 *
 * For offline code; allocates; one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "dump/dump_reader.h"

/* Blocks are those that were recorded; bytes are estimates if they were sampled. */
struct leak_history {
    uint64_t blocks[TRACEMALLOC_DUMP_MAX_EPOCHS]; /* live, by epoch of birth */
    uint64_t bytes[TRACEMALLOC_DUMP_MAX_EPOCHS];
    double alive[TRACEMALLOC_DUMP_MAX_EPOCHS];  /* as blocks, an estimate */
    uint64_t float_bytes;                       /* live, of the size of a float */
    uint64_t freed_late[TRACEMALLOC_DUMP_AGES]; /* an estimate */
    int64_t risen[TRACEMALLOC_DUMP_WINDOWS];    /* bytes, by window */
    uint64_t total_blocks;                      /* ever recorded */
    double estimated_blocks;                    /* ever allocated */
    bool is_sampled;
    bool ignores_floats; /* set by the caller: floats are not counted as live */
};

/* The epochs of one process, and when they begin: `count` of them, and the end. */
struct leak_time {
    unsigned count;
    uint64_t starts[TRACEMALLOC_DUMP_MAX_EPOCHS + 1]; /* nanoseconds since 1970 */
};

/* The buckets of a dump by their site. */
struct leak_buckets {
    const struct dump_reader *reader;
    uint32_t *order; /* the ids of all buckets, by site */
    uint32_t *first; /* by site, and one behind the last: where its buckets begin */
};

/* 0 or -ENOMEM. To be closed in both cases. */
must_check int leak_buckets_open(struct leak_buckets *buckets,
                                 const struct dump_reader *reader);
void leak_buckets_close(struct leak_buckets *buckets);

/* Adds what one site says, up to the end of the program if it reached it. */
void leak_history_add_site(struct leak_history *history,
                           const struct leak_buckets *buckets, uint32_t site);

/* The epochs of a process. `count` is 0 if it has none. */
void leak_time_open(struct leak_time *time, const struct dump_reader *reader,
                    uint32_t process);
/* Seconds that so many epochs take. */
double leak_time_span(const struct leak_time *time, unsigned epochs);
/* Seconds from the beginning of one epoch to that of another, at least 0.001. */
double leak_time_between(const struct leak_time *time, unsigned first, unsigned end);
