/* SPDX-License-Identifier: MIT */
#include "profile/birth_range.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_TEXT = 64, DAY = 24 * 60 * 60 };

static const uint64_t second = 1000000000;
/* Longer than any process runs, and safe to add to a time. */
static const double max_seconds = 1e9;

static double seconds_of(char unit) {
    switch (unit) {
    case 's':
        return 1;
    case 'm':
        return 60;
    case 'h':
        return 60 * 60;
    case 'd':
        return DAY;
    default:
        return 0;
    }
}

int birth_range_duration(const char *text, uint64_t *duration) {
    double sum = 0;
    const char *at = text;
    do {
        size_t length = strspn(at, "0123456789.");
        char *end;
        double number = strtod(at, &end), unit = seconds_of(*end);
        if (length == 0 || end != at + length)
            return -EINVAL;
        if (*end == '\0' && at == text)
            unit = 1;
        if (unit == 0)
            return -EINVAL;
        sum += number * unit;
        at = *end == '\0' ? end : end + 1;
    } while (*at != '\0');
    if (sum > max_seconds)
        return -EINVAL;
    *duration = (uint64_t)llround(sum * 1e9);
    return 0;
}

static bool parse_since_start(const char *text, struct birth_bound *bound) {
    uint64_t time;
    if (birth_range_duration(text, &time) < 0)
        return false;
    *bound = (struct birth_bound){BIRTH_BOUND_SINCE_START, time};
    return true;
}

static bool parse_time(const char *text, const char *const *formats, struct tm *time) {
    for (; *formats != NULL; formats++) {
        *time = (struct tm){.tm_isdst = -1};
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        const char *end = strptime(text, *formats, time);
#pragma GCC diagnostic pop
        if (end != NULL && *end == '\0')
            return true;
    }
    return false;
}

static bool parse_time_of_day(const char *text, struct birth_bound *bound) {
    static const char *const formats[] = {"%H:%M:%S", "%H:%M", NULL};
    struct tm time;
    if (!parse_time(text, formats, &time))
        return false;
    uint64_t seconds = (uint64_t)(time.tm_hour * 3600 + time.tm_min * 60 + time.tm_sec);
    *bound = (struct birth_bound){BIRTH_BOUND_TIME_OF_DAY, seconds * second};
    return true;
}

static bool parse_date(const char *text, struct birth_bound *bound) {
    static const char *const formats[] = {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M",
                                          "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", NULL};
    struct tm time;
    if (!parse_time(text, formats, &time))
        return false;
    time_t seconds = mktime(&time);
    if (seconds < 0)
        return false;
    *bound = (struct birth_bound){BIRTH_BOUND_DATE, (uint64_t)seconds * second};
    return true;
}

static bool parse_bound(const char *text, struct birth_bound *bound) {
    if (*text == '\0') {
        *bound = (struct birth_bound){BIRTH_BOUND_OPEN, 0};
        return true;
    }
    if (*text < '0' || *text > '9')
        return false;
    return parse_since_start(text, bound) || parse_time_of_day(text, bound) ||
           parse_date(text, bound);
}

int birth_range_parse(struct birth_range *range, const char *text) {
    char from[MAX_TEXT];
    const char *dots = strstr(text, "..");
    if (dots == NULL || (size_t)(dots - text) >= sizeof from)
        return -EINVAL;
    memcpy(from, text, (size_t)(dots - text));
    from[dots - text] = '\0';
    if (!parse_bound(from, &range->from) || !parse_bound(dots + 2, &range->to))
        return -EINVAL;
    range->is_set = true;
    bool same_kind = range->from.kind == range->to.kind &&
                     range->from.kind != BIRTH_BOUND_TIME_OF_DAY;
    return same_kind && range->from.time > range->to.time ? -ERANGE : 0;
}

/* The time of day on the day that is `days` after that of `reference`. */
static uint64_t at_day(uint64_t reference, int days, uint64_t time_of_day) {
    time_t seconds = (time_t)(reference / second);
    struct tm time;
    if (localtime_r(&seconds, &time) == NULL)
        return 0;
    int of_day = (int)(time_of_day / second);
    time.tm_mday += days;
    time.tm_hour = of_day / 3600;
    time.tm_min = of_day / 60 % 60;
    time.tm_sec = of_day % 60;
    time.tm_isdst = -1;
    seconds = mktime(&time);
    return seconds < 0 ? 0 : (uint64_t)seconds * second;
}

/* The last one within the span; if there is none, the nearest. */
static uint64_t last_within(struct birth_span span, uint64_t time_of_day) {
    int today = at_day(span.to, 0, time_of_day) <= span.to ? 0 : -1;
    uint64_t before = at_day(span.to, today, time_of_day);
    uint64_t after = at_day(span.to, today + 1, time_of_day);
    bool is_near = before >= span.from || span.from - before <= after - span.to;
    return is_near ? before : after;
}

static uint64_t first_after(uint64_t from, uint64_t time_of_day) {
    uint64_t time = at_day(from, 0, time_of_day);
    /* Within its second, it is the same time of day. */
    return time + second > from ? time : at_day(from, 1, time_of_day);
}

static uint64_t resolve_from(struct birth_bound bound, uint64_t start,
                             struct birth_span known) {
    switch (bound.kind) {
    case BIRTH_BOUND_SINCE_START:
        return start + bound.time;
    case BIRTH_BOUND_TIME_OF_DAY:
        return last_within(known, bound.time);
    case BIRTH_BOUND_DATE:
        return bound.time;
    default:
        return known.from;
    }
}

static uint64_t resolve_to(const struct birth_range *range, uint64_t start,
                           struct birth_span known, uint64_t from) {
    switch (range->to.kind) {
    case BIRTH_BOUND_OPEN:
        return known.to >= from ? known.to + 1 : from;
    case BIRTH_BOUND_TIME_OF_DAY:
        return range->from.kind == BIRTH_BOUND_OPEN ? last_within(known, range->to.time)
                                                    : first_after(from, range->to.time);
    default:
        return resolve_from(range->to, start, known);
    }
}

/* Whether `10:05..10:00` reaches into a day that the dump does not. */
static bool is_reversed(const struct birth_range *range, uint64_t to,
                        struct birth_span known) {
    return range->from.kind == BIRTH_BOUND_TIME_OF_DAY &&
           range->to.kind == BIRTH_BOUND_TIME_OF_DAY &&
           range->to.time < range->from.time && at_day(to, 0, 0) > known.to;
}

int birth_range_resolve(const struct birth_range *range, uint64_t start,
                        struct birth_span known, struct birth_span *span) {
    uint64_t from = resolve_from(range->from, start, known);
    uint64_t to = resolve_to(range, start, known, from);
    if (is_reversed(range, to, known))
        return -ERANGE;
    if (to < from && from <= known.to && range->from.kind != BIRTH_BOUND_OPEN)
        return -ERANGE;
    if (from > known.to || to < known.from)
        return -EDOM;
    /* An instant is of the epoch that it is in. */
    *span = (struct birth_span){from, to > from ? to : from + 1};
    return 0;
}
