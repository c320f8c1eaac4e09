/* SPDX-License-Identifier: MIT */
/* Which blocks of a profile a report is about: the filters of
 * tracemalloc.Snapshot.filter_traces.
 *
 * For offline code; allocates; one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "profile/profile.h"

/* A file name pattern (see report/pattern.h) and a line, as in tracemalloc.Filter. */
struct filter_pattern {
    const char *text; /* not NUL-terminated */
    size_t length;
    int64_t line; /* -1: any */
    bool inclusive;
};

enum { FILTER_MAX_PATTERNS = 64 };

struct filter {
    struct filter_pattern patterns[FILTER_MAX_PATTERNS];
    size_t pattern_count;
    bool all_frames;    /* match any frame shown, not just the most recent one */
    const char *domain; /* number or name, NULL: all */
};

/* Adds `PATTERN` or `PATTERN:LINE`, which the filter refers to. -E2BIG when it holds
 * its most already. */
must_check int filter_add(struct filter *filter, const char *text, bool inclusive);

/* Empties the sites that are filtered out and adds up again. 0, -ENOMEM, or -ENOENT
 * for a domain that the dump does not know. */
must_check int filter_apply(const struct filter *filter, struct profile *profile);
