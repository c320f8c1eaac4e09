/* SPDX-License-Identifier: MIT */
/* Groups sorted and formatted like tracemalloc.Statistic and tracemalloc.StatisticDiff.
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
    const struct grouping *grouping; /* to which stack and group belong */
    struct frame frame;
    uint32_t stack;
    uint32_t group; /* index in the grouping */
    struct weight weight;
    int64_t size_diff; /* bytes: new less old; 0 unless compared */
    int64_t count_diff;
    double diff_variance; /* of size_diff, where it is an estimate */
};

struct statistics {
    const struct grouping *grouping; /* if compared, the new one */
    bool compared;                   /* whether there are differences */
    struct statistic *entries;
    size_t count;
    size_t shown; /* entries in order, after statistics_sort */
    struct statistic total;
};

/* One entry for each group. 0 or -ENOMEM. The grouping must outlive the statistics. */
must_check int statistics_open(struct statistics *statistics,
                               const struct grouping *grouping);

/* One entry for each group of either grouping, as in Snapshot.compare_to. */
must_check int statistics_compare(struct statistics *statistics,
                                  const struct grouping *old,
                                  const struct grouping *grouping);

void statistics_close(struct statistics *statistics);

/* Moves the first `limit` entries to the front, in order: by size, blocks and
 * traceback, largest first; if compared, by the differences. */
void statistics_sort(struct statistics *statistics, size_t limit);

/* The sum of the entries that are not shown. */
struct statistic statistics_rest(const struct statistics *statistics);

/* The name of an entry's type, where types are grouped. */
struct dump_text statistics_type(const struct statistic *statistic);

enum { STATISTICS_TEXT_SIZE = 256 };

/* Writes `size=12.3 KiB, count=4, average=...`, as str(Statistic) does after the
 * traceback; if compared, with the differences. An estimate is followed by its standard
 * error: `size=12.3 KiB ±3%`, `(+2.1 KiB ±0.4 KiB)`. Returns the length. */
size_t statistics_format(char text[STATISTICS_TEXT_SIZE],
                         const struct statistic *statistic, bool compared);

enum { STATISTICS_ERROR_SIZE = 32 };

/* Writes ` ±3%`, for behind the size; nothing if the error is less than 0.05 %. */
void statistics_format_error(char text[STATISTICS_ERROR_SIZE], struct weight weight);

/* Writes bytes in the largest fitting unit, if asked for with a sign, as the standard
 * library's _format_size does. */
void statistics_format_size(char *text, size_t size, double bytes, bool sign);
