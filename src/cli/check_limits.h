/* SPDX-License-Identifier: MIT */
/* The limits of `check`, and what dumps say to each. Allocates; one thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "cli/selection_options.h"

enum { CHECK_MAX_LINES = FILTER_MAX_PATTERNS, CHECK_NAME_SIZE = 512 };

enum check_kind {
    CHECK_PEAK,
    CHECK_GROWTH,
    CHECK_LEAKS,
    CHECK_BASELINE, /* the peak, by that of another dump */
    CHECK_KINDS,
    CHECK_LINE = CHECK_KINDS, /* there may be several */
};

struct check_limit {
    bool is_set;
    enum check_kind kind;
    char name[CHECK_NAME_SIZE]; /* for people: `peak`, `orders.py:66` */
    char *pattern;              /* of a line: PATTERN:LINE */
    uint64_t max;               /* bytes; of leaks, how many */
    uint64_t value;             /* what the dumps say */
};

struct check_limits {
    struct check_limit limits[CHECK_KINDS + CHECK_MAX_LINES]; /* by kind, then lines */
    size_t count; /* also of those that are not set */
    const char *baseline;
    double tolerance; /* a share of the baseline's */
};

/* Whether a limit is set and exceeded. */
static inline bool check_limit_is_exceeded(const struct check_limit *limit) {
    return limit->is_set && limit->value > limit->max;
}

/* Fills in the values. 0, or 1 after failure_print. */
must_check int check_limits_measure(struct check_limits *limits,
                                    const struct selection *selection);
