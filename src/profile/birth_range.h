/* SPDX-License-Identifier: MIT */
/* A range of time as a user writes it: FROM..TO.
 *
 *   10:00..10:05:30             times of day, in the local time zone
 *   2026-11-28T10:00..          with a date; an end that is left out is open
 *   600..900, 10m..15m, 1h30m.. times since the dump's start
 *
 * Of several days, a time of day is that of the last one within the dump, and TO is the
 * first one after FROM. For offline code; one thread, since the time zone is asked.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

enum birth_bound_kind {
    BIRTH_BOUND_OPEN,
    BIRTH_BOUND_SINCE_START,
    BIRTH_BOUND_TIME_OF_DAY,
    BIRTH_BOUND_DATE,
};

struct birth_bound {
    enum birth_bound_kind kind;
    uint64_t time; /* nanoseconds: since the start, since midnight, or since 1970 */
};

struct birth_range {
    bool is_set;
    struct birth_bound from, to;
};

/* Nanoseconds since 1970. */
struct birth_span {
    uint64_t from, to;
};

/* Parses `90`, `1.5`, `10m` or `1h30m` as nanoseconds: only a number alone has no unit.
 * 0 or -EINVAL. */
must_check int birth_range_duration(const char *text, uint64_t *duration);

/* 0; or -EINVAL if the text is not a range, -ERANGE if it ends before it begins. */
must_check int birth_range_parse(struct birth_range *range, const char *text);

/* What a range means for a dump that began at `start` and knows of births in `known`.
 * 0; or -ERANGE if it ends before it begins, -EDOM if it does not touch `known`. */
must_check int birth_range_resolve(const struct birth_range *range, uint64_t start,
                                   struct birth_span known, struct birth_span *span);
