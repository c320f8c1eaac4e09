/* SPDX-License-Identifier: MIT */
/* What the lines of a program hold, how fast they allocate, and how much they have
 * grown since `tracemalloc top` began.
 *
 * For offline code; allocates; one thread at a time. A site keeps its index as long as
 * the process writes to the same dump, so that readings can be compared by index.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "profile/grouping.h"
#include "profile/profile.h"

/* What each site held at one reading of the dump. All zeros before the first one. */
struct top_sample {
    uint64_t time; /* nanoseconds, on any clock */
    size_t count;
    struct weight *live; /* by site */
    struct weight *ever; /* by site: allocated so far */
    uint32_t cleared;    /* the header's `cleared` */
};

/* 0 or -ENOMEM. */
must_check int top_sample_take(struct top_sample *sample, const struct profile *profile,
                               uint64_t time);
void top_sample_drop(struct top_sample *sample);

enum top_order {
    TOP_BY_SIZE,
    TOP_BY_BLOCKS,
    TOP_BY_RATE,
    TOP_BY_GROWTH,
    TOP_BY_GROWTH_RATE,
    TOP_ORDERS
};

struct top_row {
    struct frame frame;
    uint32_t stack; /* of the group, see grouping.h */
    struct weight weight;
    int64_t growth;     /* bytes */
    double growth_rate; /* bytes per second; 0 until growth counted for long enough */
    double rate;        /* bytes allocated per second */
    double blocks_rate;
};

struct top_table {
    enum grouping_key key;
    struct top_row *rows;
    size_t count;
    double rate; /* of all rows, bytes allocated per second */
    double blocks_rate;
};

/* A row for each group that holds something or has allocated since `before`. Growth
 * counts from `start`; it is 0 if the traces were cleared since then. 0 or -ENOMEM. */
must_check int top_table_open(struct top_table *table, const struct profile *profile,
                              enum grouping_key key, const struct top_sample *start,
                              const struct top_sample *before, uint64_t time);
void top_table_close(struct top_table *table);

/* Largest first. */
void top_table_sort(struct top_table *table, enum top_order order);

/* Keeps the rows whose file or function contains the text. */
void top_table_filter(struct top_table *table, const struct profile *profile,
                      const char *text);
