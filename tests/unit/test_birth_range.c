/* SPDX-License-Identifier: MIT */
#include "profile/birth_range.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "suite.h"

static const uint64_t second = 1000000000, minute = 60000000000;

/* 2023-11-14 22:13:20 UTC */
static const uint64_t start = 1700000000000000000;

static int parse(const char *text) {
    struct birth_range range = {0};
    return birth_range_parse(&range, text);
}

/* Resolves for a dump that lasts so long; both ends in seconds since its start. */
static int resolve(const char *text, uint64_t length, int64_t *from, int64_t *to) {
    struct birth_range range = {0};
    struct birth_span span = {0};
    setenv("TZ", "UTC0", 1);
    tzset();
    ck_assert_int_eq(birth_range_parse(&range, text), 0);
    ck_assert(range.is_set);
    int error = birth_range_resolve(&range, start,
                                    (struct birth_span){start, start + length}, &span);
    *from = ((int64_t)span.from - (int64_t)start) / (int64_t)second;
    *to = ((int64_t)span.to - (int64_t)start) / (int64_t)second;
    return error;
}

static void expect(const char *text, uint64_t length, int64_t from, int64_t to) {
    int64_t got_from, got_to;
    ck_assert_int_eq(resolve(text, length, &got_from, &got_to), 0);
    if (got_from != from || got_to != to)
        ck_abort_msg("%s: %ld..%ld", text, (long)got_from, (long)got_to);
}

static void expect_error(const char *text, uint64_t length, int error) {
    int64_t from, to;
    if (resolve(text, length, &from, &to) != error)
        ck_abort_msg("%s: %ld..%ld", text, (long)from, (long)to);
}

START_TEST(times_since_the_start) {
    expect("600..900", 60 * minute, 600, 900);
    expect("10m..15m", 60 * minute, 600, 900);
    expect("1m30s..0.5h", 60 * minute, 90, 1800);
    expect("1h..1d", 240 * minute, 3600, 86400);
    expect("1.5s..", 60 * minute, 1, 3600);
    expect("..10", 60 * minute, 0, 10);
    expect("..", 60 * minute, 0, 3600);
    expect("600..600", 60 * minute, 600, 600);
}
END_TEST

START_TEST(times_of_day) {
    expect("22:15..22:20:30", 60 * minute, 100, 430);
    expect("22:00..22:15", 60 * minute, -800, 100);
    expect("22:15..", 60 * minute, 100, 3600);
    expect("..22:15", 60 * minute, 0, 100);
    expect("10s..22:15", 60 * minute, 10, 100);
    expect("2023-11-14T22:15..2023-11-14 22:20:30", 60 * minute, 100, 430);
}
END_TEST

START_TEST(around_midnight) {
    expect("23:00..01:00", 180 * minute, 2800, 10000);
    expect("00:10..00:20", 180 * minute, 7000, 7600);
    expect("23:50..22:30", 24 * 60 * minute, 5800, 5800 + 81600);
}
END_TEST

/* Of several days, the last one that the dump has. */
START_TEST(the_last_day_is_meant) {
    uint64_t day = 24 * 60 * minute;
    expect("22:15..22:20", 3 * day, 2 * 86400 + 100, 2 * 86400 + 400);
    expect("2023-11-14T22:15..22:20", 3 * day, 100, 400);
}
END_TEST

START_TEST(a_range_outside_the_dump) {
    expect_error("2h..3h", 60 * minute, -EDOM);
    expect_error("23:30..", 60 * minute, -EDOM);
    expect_error("23:30..23:40", 60 * minute, -EDOM);
    expect_error("..22:00", 60 * minute, -EDOM);
    expect_error("21:00..22:00", 60 * minute, -EDOM);
    expect_error("2022-01-01T00:00..2022-01-02T00:00", 60 * minute, -EDOM);
}
END_TEST

START_TEST(a_range_that_ends_before_it_begins) {
    ck_assert_int_eq(parse("900..600"), -ERANGE);
    ck_assert_int_eq(parse("2023-11-15T00:00..2023-11-14T00:00"), -ERANGE);
    expect_error("22:20..22:15", 60 * minute, -ERANGE);
    expect_error("22:20..1", 60 * minute, -ERANGE);
}
END_TEST

START_TEST(what_is_no_range) {
    static const char *const texts[] = {
        "",
        "10",
        "10:00",
        "10:00-10:05",
        "a..b",
        "1..b",
        "10..-20",
        " 1..2",
        "1m2..3m",
        "1x..2x",
        "1..2..3",
        "25:00..26:00",
        "10:60..",
        "10:00:99..",
        "1e9..2e9",
        "nan..",
        "inf..",
        "0x10..",
        "1.2.3..",
        "99999999d..",
        "...",
        "10:00 ..",
        "1s2..3",
        "111111111111111111111111111111111111111111111111111111111111111111..",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (parse(texts[i]) != -EINVAL)
            ck_abort_msg("'%s' is a range", texts[i]);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        times_since_the_start,    times_of_day,
        around_midnight,          the_last_day_is_meant,
        a_range_outside_the_dump, a_range_that_ends_before_it_begins,
        what_is_no_range,
    };
    return suite_run("birth_range", tests, sizeof tests / sizeof *tests);
}
