/* SPDX-License-Identifier: MIT */
/* What the lines of a program hold, how fast they allocate, and how much they grew
 * since the watch began.
 *
 * For offline code; allocates; one thread at a time. Sites keep their index as long
 * as a process traces into one dump, so that the same one is found in a later reading.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "profile/grouping.h"
#include "profile/profile.h"

/* What each site had at one reading of the dump. All zeros: nothing yet. */
struct top_sample {
    uint64_t time; /* nanoseconds of any clock */
    size_t count;
    struct weight *live; /* by site */
    struct weight *ever; /* by site: allocated so far */
    uint32_t cleared;    /* how often the traces had been cleared */
};

/* 0 or -ENOMEM. */
must_check int top_sample_take(struct top_sample *sample, const struct profile *profile,
                               uint64_t time);
void top_sample_drop(struct top_sample *sample);

enum top_order { TOP_BY_SIZE, TOP_BY_BLOCKS, TOP_BY_RATE, TOP_BY_GROWTH, TOP_ORDERS };

struct top_row {
    struct frame frame;
    uint32_t stack; /* one of the row's */
    struct weight weight;
    int64_t growth; /* bytes */
    double rate;    /* bytes a second */
    double blocks_rate;
};

struct top_table {
    enum grouping_key key;
    struct top_row *rows;
    size_t count;
    double rate; /* of all, in bytes a second */
    double blocks_rate;
};

/* A row for each group that holds something or has allocated since `before`. Growth is
 * since `start`, unless the traces were cleared meanwhile. 0 or -ENOMEM. */
must_check int top_table_open(struct top_table *table, const struct profile *profile,
                              enum grouping_key key, const struct top_sample *start,
                              const struct top_sample *before, uint64_t time);
void top_table_close(struct top_table *table);

/* The largest first. */
void top_table_sort(struct top_table *table, enum top_order order);

/* Keeps the rows whose file or function has the text in it. */
void top_table_filter(struct top_table *table, const struct profile *profile,
                      const char *text);
