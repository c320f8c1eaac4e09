/* SPDX-License-Identifier: MIT */
#include "show/leaks_text.h"

#include "suite.h"

static void ck_rate(double rate, const char *expected) {
    char text[LEAKS_TEXT_SIZE];
    leaks_text_rate(text, rate);
    ck_assert_str_eq(text, expected);
}

static void ck_time(double seconds, const char *expected) {
    char text[LEAKS_TEXT_SIZE];
    leaks_text_time(text, seconds);
    ck_assert_str_eq(text, expected);
}

START_TEST(rates_are_in_a_unit_to_remember) {
    ck_rate(2e6, "+1953 KiB/s");
    ck_rate(1000, "+58.6 KiB/min");
    ck_rate(5, "+17.6 KiB/h");
    ck_rate(0.5, "+42.2 KiB/day");
    ck_rate(0.001, "+86 B/day");
    ck_rate(-2e6, "-1953 KiB/s");
}
END_TEST

START_TEST(times_are_as_precise_as_they_are_long) {
    ck_time(0.125, "0.1 s");
    ck_time(75, "75 s");
    ck_time(180, "3 min");
    ck_time(3 * 3600 + 12 * 60, "3 h 12 min");
    ck_time(5 * 86400, "5 days");
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        rates_are_in_a_unit_to_remember,
        times_are_as_precise_as_they_are_long,
    };
    return suite_run("leaks_text", tests, sizeof tests / sizeof *tests);
}
