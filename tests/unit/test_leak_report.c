/* SPDX-License-Identifier: MIT */
#include "leak/leak_report.h"

#include <stdlib.h>
#include <string.h>

#include "opened_dump.h"
#include "suite.h"

enum { EPOCHS = 48 };
static const uint64_t second = 1000000000, start = 1700000000123456789u;

static struct dump_maker maker;
static struct opened_dump opened;
static uint32_t app;

static void begin(void) {
    dump_maker_open(&maker);
    app = dump_maker_code(&maker, "app.py", "work");
    for (uint32_t i = 0; i < EPOCHS; i++)
        dump_maker_epoch(&maker, start + i * second, i + 1);
    maker.header.end_time = start + EPOCHS * second;
}

static void end(void) {
    opened_dump_close(&opened);
    dump_maker_close(&maker);
}

static void keep_each(uint32_t line, uint64_t size, uint32_t count) {
    uint32_t stack = dump_maker_stack(&maker, 0, app, line);
    uint32_t site = dump_maker_site(&maker, stack, 0);
    for (uint32_t epoch = 2; epoch < EPOCHS; epoch++) {
        uint32_t id = dump_maker_bucket(&maker, site, size, count, 0);
        struct tracemalloc_dump_bucket *bucket =
            dump_maker_entry(&maker, TRACEMALLOC_DUMP_BUCKETS, id);
        bucket->birth = (uint8_t)epoch;
        bucket->stamp = epoch + 1;
    }
}

START_TEST(processes_are_added_up_by_line) {
    begin();
    keep_each(1, 100, 3);
    opened_dump_open(&opened, &maker, PROFILE_ALLOCATED);
    struct leak_report report = {0};
    ck_assert_int_eq(leak_report_add(&report, &opened.profile, 0), 0);
    ck_assert_int_eq(leak_report_add(&report, &opened.profile, 0), 0);
    leak_report_finish(&report);
    ck_assert_uint_eq(report.count, 1);
    ck_assert_uint_eq(report.processes, 2);
    ck_assert_uint_eq(report.entries[0].processes, 2);
    ck_assert_double_eq_tol(report.entries[0].bytes_rate, 600, 1);
    ck_assert_double_eq_tol(report.entries[0].share, 1, 0.001);
    ck_assert_double_eq_tol(report.watched_seconds, EPOCHS, 0.1);
    ck_assert(leak_report_has_verdict(&report));
    leak_report_close(&report);
    end();
}
END_TEST

/* RSS rises by 1000 bytes a second, as far as `rate` is named. */
static struct leak_report forecast(double rate, uint64_t limit) {
    struct leak_entry *entry = calloc(1, sizeof *entry);
    entry->word = LEAK_LEAK;
    entry->bytes_rate = rate;
    struct leak_report report = {
        .entries = entry,
        .count = 1,
        .watched_seconds = 100,
        .rss = {.bytes = 500000, .rate = 1000},
        .limit = limit,
    };
    leak_report_finish(&report);
    return report;
}

START_TEST(a_forecast_needs_two_rates_that_agree) {
    struct leak_report report = forecast(800, 1500000);
    ck_assert(report.has_forecast);
    ck_assert_double_eq_tol(report.forecast_from, 1000, 1);
    ck_assert_double_eq_tol(report.forecast_to, 1250, 1);
    leak_report_close(&report);
    report = forecast(400, 1500000);
    ck_assert(!report.has_forecast);
    leak_report_close(&report);
    report = forecast(800, 3000000); /* beyond twenty times the time watched */
    ck_assert(!report.has_forecast);
    leak_report_close(&report);
    report = forecast(800, 0);
    ck_assert(!report.has_forecast);
    leak_report_close(&report);
}
END_TEST

START_TEST(an_entry_has_its_evidence) {
    begin();
    keep_each(7, 100, 3);
    opened_dump_open(&opened, &maker, PROFILE_ALLOCATED);
    struct leak_report report = {0};
    ck_assert_int_eq(leak_report_add(&report, &opened.profile, 0), 0);
    leak_report_finish(&report);
    const struct leak_entry *entry = &report.entries[0];
    ck_assert_uint_eq(entry->frame.line, 7);
    ck_assert_int_eq(memcmp(entry->function.bytes, "work", 4), 0);
    ck_assert_uint_eq(entry->live_blocks, 3 * (EPOCHS - 2));
    ck_assert_uint_eq(entry->live_bytes, 300 * (EPOCHS - 2));
    ck_assert_double_eq_tol(entry->oldest_seconds, EPOCHS - 2, 0.01);
    ck_assert_double_eq_tol(entry->freed_late_share, 0, 1e-9);
    ck_assert(!entry->has_died);
    ck_assert_uint_eq(entry->time.count, EPOCHS);
    ck_assert_uint_eq(entry->born[1], 0);
    ck_assert_uint_eq(entry->born[2], 3);
    ck_assert_uint_eq(entry->line_count, 0);
    ck_assert_uint_eq(entry->caller.line, 0);
    leak_report_close(&report);
    end();
}
END_TEST

/* What RSS grows by beyond the entries; it may be less than they say. */
START_TEST(the_rest_of_rss_is_not_explained) {
    struct leak_report report = forecast(400, 0);
    ck_assert_double_eq_tol(report.unexplained_rate, 600, 1e-6);
    leak_report_close(&report);
    report = forecast(1400, 0);
    ck_assert_double_eq_tol(report.unexplained_rate, 0, 1e-6);
    leak_report_close(&report);
}
END_TEST

/* RSS rises by 1000, traced blocks by 700, and the entry by 400 bytes a second. */
START_TEST(the_rest_has_two_parts) {
    struct leak_entry *entry = calloc(1, sizeof *entry);
    entry->word = LEAK_LEAK;
    entry->bytes_rate = 400;
    struct leak_report report = {
        .entries = entry,
        .count = 1,
        .rss = {.bytes = 500000, .rate = 1000, .traced_rate = 700},
    };
    leak_report_finish(&report);
    ck_assert_double_eq_tol(report.unexplained_rate, 600, 1e-6);
    ck_assert_double_eq_tol(report.unlisted_rate, 300, 1e-6);
    ck_assert_double_eq_tol(report.untraced_rate, 300, 1e-6);
    leak_report_close(&report);
}
END_TEST

/* Two workers, of which one grows. */
START_TEST(each_process_has_its_rate) {
    begin();
    keep_each(1, 100, 3);
    opened_dump_open(&opened, &maker, PROFILE_ALLOCATED);
    struct leak_report report = {0};
    ck_assert_int_eq(leak_report_add(&report, &opened.profile, 0), 0);
    end();
    begin();
    maker.header.pid = 77;
    struct opened_dump still;
    opened_dump_open(&still, &maker, PROFILE_ALLOCATED);
    ck_assert_int_eq(leak_report_add(&report, &still.profile, 0), 0);
    leak_report_finish(&report);
    ck_assert_uint_eq(report.processes, 2);
    ck_assert_uint_eq(report.pids[1], 77);
    ck_assert_uint_eq(report.entries[0].processes, 1);
    ck_assert_double_eq_tol(leak_report_process_rate(&report.entries[0], 0), 300, 1);
    ck_assert_double_eq_tol(leak_report_process_rate(&report.entries[0], 1), 0, 1e-9);
    leak_report_close(&report);
    opened_dump_close(&still);
    dump_maker_close(&maker);
}
END_TEST

/* A rate that few samples make is less than one that is sure. */
START_TEST(what_is_sure_comes_first) {
    struct leak_entry *entries = calloc(2, sizeof *entries);
    entries[0] =
        (struct leak_entry){.word = LEAK_WATCH, .bytes_rate = 600, .sure_rate = 10};
    entries[1] =
        (struct leak_entry){.word = LEAK_WATCH, .bytes_rate = 300, .sure_rate = 90};
    struct leak_report report = {.entries = entries, .count = 2};
    leak_report_finish(&report);
    ck_assert_double_eq_tol(report.entries[0].bytes_rate, 300, 1e-9);
    leak_report_close(&report);
}
END_TEST

START_TEST(verdicts_come_first) {
    struct leak_entry *entries = calloc(3, sizeof *entries);
    entries[0] = (struct leak_entry){.word = LEAK_WATCH, .bytes_rate = 600};
    entries[1] = (struct leak_entry){.word = LEAK_BACKLOG, .bytes_rate = 100};
    entries[2] = (struct leak_entry){.word = LEAK_LEAK, .bytes_rate = 300};
    struct leak_report report = {.entries = entries, .count = 3};
    leak_report_finish(&report);
    ck_assert_int_eq(report.entries[0].word, LEAK_LEAK);
    ck_assert_int_eq(report.entries[1].word, LEAK_BACKLOG);
    ck_assert_double_eq_tol(report.entries[2].share, 0.6, 1e-9);
    ck_assert_double_eq_tol(report.named_rate, 400, 1e-9);
    ck_assert(leak_report_has_verdict(&report));
    leak_report_close(&report);
}
END_TEST

START_TEST(a_watch_is_no_verdict) {
    struct leak_report report = {0};
    leak_report_finish(&report);
    ck_assert(!leak_report_has_verdict(&report));
    struct leak_entry entry = {.word = LEAK_WATCH, .bytes_rate = 600};
    report = (struct leak_report){.entries = &entry, .count = 1};
    ck_assert(!leak_report_has_verdict(&report));
    ck_assert_str_eq(leak_report_word(entry.word), "watch");
}
END_TEST

/* A child may run under a lower limit than its parent. */
START_TEST(the_limit_is_the_lowest) {
    struct leak_report report = {0};
    ck_assert_ptr_null(leak_report_source(&report));
    for (uint32_t i = 0; i < 3; i++) {
        dump_maker_open(&maker);
        maker.header.memory_limit = i == 0 ? 300 : i == 1 ? 200 : 0;
        maker.header.memory_limit_source =
            i == 1 ? TRACEMALLOC_DUMP_LIMIT_DATA : TRACEMALLOC_DUMP_LIMIT_AS;
        struct dump_reader *reader = opened_dump_read(&maker);
        leak_report_add_rss(&report, reader);
        dump_reader_close(reader);
        dump_maker_close(&maker);
    }
    ck_assert_uint_eq(report.limit, 200);
    ck_assert_str_eq(leak_report_source(&report), "RLIMIT_DATA");
    leak_report_close(&report);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        processes_are_added_up_by_line,
        an_entry_has_its_evidence,
        a_forecast_needs_two_rates_that_agree,
        the_rest_of_rss_is_not_explained,
        the_rest_has_two_parts,
        each_process_has_its_rate,
        what_is_sure_comes_first,
        verdicts_come_first,
        a_watch_is_no_verdict,
        the_limit_is_the_lowest,
    };
    return suite_run("leak_report", tests, sizeof tests / sizeof *tests);
}
