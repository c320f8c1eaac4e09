/* SPDX-License-Identifier: MIT */
/* Groups in the order and with the words of tracemalloc.Statistic and
 * tracemalloc.StatisticDiff.
 *
 * For offline code; allocates; one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "profile/grouping.h"

struct statistic {
    const struct grouping *grouping; /* that the stack is of */
    struct frame frame;
    uint32_t stack;
    uint32_t group; /* of the grouping */
    struct weight weight;
    int64_t size_diff; /* the weight less the old one */
    int64_t count_diff;
};

struct statistics {
    const struct grouping *grouping; /* the new one */
    bool compared;                   /* the differences mean something */
    struct statistic *entries;
    size_t count;
    size_t shown; /* entries that statistics_sort put in order */
    struct statistic total;
};

/* One entry for each group. 0 or -ENOMEM. The grouping outlives the statistics. */
must_check int statistics_open(struct statistics *statistics,
                               const struct grouping *grouping);

/* One entry for each group of either, as Snapshot.compare_to has them. */
must_check int statistics_compare(struct statistics *statistics,
                                  const struct grouping *old,
                                  const struct grouping *grouping);

void statistics_close(struct statistics *statistics);

/* Puts the `limit` entries that come first in front, in order: by size, blocks and
 * traceback, the largest first; by the differences where there are any. */
void statistics_sort(struct statistics *statistics, size_t limit);

/* What the entries that are not shown sum to. */
struct statistic statistics_rest(const struct statistics *statistics);

enum { STATISTICS_TEXT_SIZE = 256 };

/* `size=12.3 KiB, count=4, average=...`, as str(Statistic) has it behind the traceback,
 * with the differences where there are any. Returns the length. */
size_t statistics_format(char text[STATISTICS_TEXT_SIZE],
                         const struct statistic *statistic, bool compared);

/* Bytes in the largest fitting unit, with a sign when asked for, as the standard
 * library's _format_size. */
void statistics_format_size(char *text, size_t size, double bytes, bool sign);
