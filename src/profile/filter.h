/* SPDX-License-Identifier: MIT */
/* Selects the blocks that a report covers, as tracemalloc.Snapshot.filter_traces does.
 *
 * For offline code; allocates; one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "profile/profile.h"

/* A file name pattern (see profile/pattern.h) and a line, as in tracemalloc.Filter. */
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
    bool all_frames;    /* match against every frame shown, not just the most recent */
    const char *domain; /* number or name; NULL: all domains */
};

/* Adds `PATTERN` or `PATTERN:LINE`; the text must outlive the filter. 0, or -E2BIG
 * after FILTER_MAX_PATTERNS. */
must_check int filter_add(struct filter *filter, const char *text, bool inclusive);

/* Sets the sites that are filtered out to zero and updates the total. 0, -ENOMEM, or
 * -ENOENT if the dump has no such domain. */
must_check int filter_apply(const struct filter *filter, struct profile *profile);
