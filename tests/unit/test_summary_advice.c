/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "check_run.h"
#include "opened_dump.h"
#include "show/summary_advice.h"
#include "show/summary.h"

static const uint64_t second = 1000000000;

static struct dump_maker maker;
static struct dump_reader *reader;
static struct summary summary;
static uint64_t samples;

static void set_up(void) {
    samples = 0;
    dump_maker_open(&maker);
}

static void tear_down(void) {
    summary_close(&summary);
    dump_reader_close(reader);
    dump_maker_close(&maker);
}

/* The bucket of a block. */
static uint32_t hold(uint32_t line, uint64_t bytes) {
    uint32_t code = dump_maker_code(&maker, "/srv/app.py", "f");
    uint32_t site = dump_maker_site(&maker, dump_maker_stack(&maker, 0, code, line), 0);
    return dump_maker_bucket(&maker, site, bytes, 1, 0);
}

/* At the peak a line held as many blocks as it says, and one now. */
static void peak(uint32_t line, uint64_t size, uint32_t at_peak) {
    dump_maker_peak(&maker, hold(line, size), at_peak);
}

/* One a second, behind those that are there. */
static void add_moments(uint64_t count, uint64_t first, uint64_t step, uint64_t rss) {
    for (uint64_t i = 0; i < count; i++, samples++) {
        struct tracemalloc_dump_timeline_sample sample = {samples * second,
                                                          first + i * step, 0, rss};
        dump_maker_append(&maker, TRACEMALLOC_DUMP_TIMELINE, &sample);
    }
}

static void ck_advised(const char *words) {
    reader = opened_dump_read(&maker);
    ck_assert_int_eq(summary_open(&summary, reader), 0);
    summary_advice_give(&summary);
    ck_assert_msg(strstr(summary.advice, words) != NULL, "%s", summary.advice);
    ck_assert_uint_lt(strlen(summary.advice) + 1, SUMMARY_ADVICE_SIZE);
}

static void hold_evenly(void) {
    for (uint32_t line = 1; line <= 10; line++)
        hold(line, 100);
}

START_TEST(nothing_was_allocated) {
    ck_advised("Nothing was allocated");
}
END_TEST

START_TEST(nothing_stands_out) {
    hold_evenly();
    ck_advised("No single line stands out");
}
END_TEST

START_TEST(a_line_that_holds_most) {
    hold_evenly();
    hold(77, 1000);
    ck_advised("One line holds 50% of the memory: f, app.py:77. "
               "`tracemalloc tree --inverted` shows its callers.");
}
END_TEST

START_TEST(a_line_that_held_most_at_the_peak) {
    peak(1, 100, 50);
    hold(2, 100);
    ck_advised("of the memory at the peak: f, app.py:1. "
               "`tracemalloc tree --inverted --at peak` shows its callers.");
}
END_TEST

START_TEST(a_peak_of_many_lines) {
    for (uint32_t line = 1; line <= 10; line++)
        peak(line, 128, 8);
    ck_advised("The peak of 10.0 KiB is well above the 1280 B that remain");
}
END_TEST

START_TEST(memory_that_nobody_traced) {
    hold_evenly();
    add_moments(2, 1000, 0, 10 << 20);
    ck_advised("of the resident memory (100%) is in no traced block: freed memory");
}
END_TEST

START_TEST(much_that_did_not_stay) {
    hold_evenly();
    struct tracemalloc_dump_bucket *bucket =
        dump_maker_entry(&maker, TRACEMALLOC_DUMP_BUCKETS, hold(99, 1));
    bucket->total = 100 << 20;
    ck_advised("The program allocated 100 MiB in all");
}
END_TEST

START_TEST(a_heap_that_grows) {
    hold_evenly();
    add_moments(60, 1000, 100, 0);
    ck_advised("still growing at the end");
}
END_TEST

START_TEST(a_heap_that_jumped_and_stays) {
    hold_evenly();
    add_moments(60, 1000, 0, 0);
    add_moments(40, 5000, 0, 0);
    ck_advised("No single line stands out");
}
END_TEST

/* What a program makes in the seconds that it runs is no leak. */
START_TEST(a_short_program_may_grow) {
    hold_evenly();
    for (uint64_t i = 0; i < 60; i++) {
        struct tracemalloc_dump_timeline_sample sample = {i * second / 10, i * 1000, 0,
                                                          0};
        dump_maker_append(&maker, TRACEMALLOC_DUMP_TIMELINE, &sample);
    }
    ck_advised("No single line stands out");
}
END_TEST

START_TEST(long_names_are_cut) {
    char name[400];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    uint32_t code = dump_maker_code(&maker, name, name);
    uint32_t stack = dump_maker_stack(&maker, 0, code, 4000000000);
    dump_maker_bucket(&maker, dump_maker_site(&maker, stack, 0), 1000, 1, 0);
    ck_advised(":4000000000. `tracemalloc tree --inverted` shows its callers.");
}
END_TEST

/* `import lib` in app.py, in pieces: none of its lines is large. */
static void import_modules(void) {
    uint32_t app = dump_maker_code(&maker, "/srv/app.py", "<module>");
    uint32_t import = dump_maker_code(&maker, "<frozen importlib._bootstrap_external>",
                                      "_compile_bytecode");
    for (uint32_t line = 100; line < 110; line++) {
        uint32_t statement = dump_maker_stack(&maker, 0, app, line);
        uint32_t stack = dump_maker_stack(&maker, statement, import, 752);
        dump_maker_bucket(&maker, dump_maker_site(&maker, stack, 0), 500, 1, 0);
    }
}

START_TEST(modules_are_told_apart_from_what_came_later) {
    hold_evenly();
    hold(77, 1000);
    import_modules();
    ck_advised("Modules hold 71% of the memory, most of it since they were imported at "
               "start-up; `tracemalloc tree` shows which. Of the rest, f, app.py:77 "
               "holds most: 1000 B.");
}
END_TEST

START_TEST(a_line_that_holds_most_beside_modules) {
    import_modules();
    hold(77, 5000);
    ck_advised("One line holds 50% of the memory: f, app.py:77.");
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("summary_advice");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, nothing_was_allocated);
    tcase_add_test(tests, nothing_stands_out);
    tcase_add_test(tests, a_line_that_holds_most);
    tcase_add_test(tests, a_line_that_held_most_at_the_peak);
    tcase_add_test(tests, a_peak_of_many_lines);
    tcase_add_test(tests, memory_that_nobody_traced);
    tcase_add_test(tests, much_that_did_not_stay);
    tcase_add_test(tests, a_heap_that_grows);
    tcase_add_test(tests, a_heap_that_jumped_and_stays);
    tcase_add_test(tests, a_short_program_may_grow);
    tcase_add_test(tests, long_names_are_cut);
    tcase_add_test(tests, modules_are_told_apart_from_what_came_later);
    tcase_add_test(tests, a_line_that_holds_most_beside_modules);
    return check_run("summary_advice", tests);
}
