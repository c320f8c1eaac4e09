/* SPDX-License-Identifier: MIT */
#include "check_run.h"
#include "export/trace_table.h"
#include "opened_dump.h"

static struct dump_maker maker;
static struct dump_reader *reader;
static struct export_input input;
static struct trace_table table;

static void set_up(void) {
    dump_maker_open(&maker);
    export_input_prepare(&input);
}

static void tear_down(void) {
    trace_table_close(&table);
    export_input_close(&input);
    dump_reader_close(reader);
    dump_maker_close(&maker);
}

static void open_table(unsigned keys) {
    static const struct filter everything;
    reader = opened_dump_read(&maker);
    ck_assert_int_eq(export_input_open(&input, reader, &everything), 0);
    ck_assert_int_eq(trace_table_open(&table, &input, keys), 0);
}

/* A stack of two frames, the callers' line apart; returns the bucket. */
static uint32_t hold(uint32_t line, uint32_t domain, uint64_t size, uint32_t live) {
    uint32_t code = dump_maker_code(&maker, "x.py", "f");
    uint32_t stack = dump_maker_stack(&maker, 0, code, line);
    stack = dump_maker_stack(&maker, stack, code, 100);
    uint32_t site = dump_maker_site(&maker, stack, domain);
    return dump_maker_bucket(&maker, site, size, live, 0);
}

static void ck_trace(size_t number, uint64_t size, uint64_t count) {
    ck_assert_uint_lt(number, table.count);
    ck_assert_uint_eq(table.traces[number].shown.size, size);
    ck_assert_uint_eq(table.traces[number].shown.count, count);
}

START_TEST(equal_windows_are_one_trace) {
    hold(1, 0, 10, 1);
    hold(1, 0, 20, 2);
    hold(2, 0, 400, 1);
    hold(2, 1, 3, 1);
    open_table(0);
    ck_assert_uint_eq(table.count, 2);
    ck_trace(0, 403, 2);
    ck_trace(1, 50, 3);
}
END_TEST

START_TEST(domains_are_told_apart_where_asked_for) {
    hold(1, 0, 10, 1);
    hold(1, 1, 3, 1);
    open_table(TRACE_KEY_DOMAIN);
    ck_assert_uint_eq(table.count, 2);
    ck_assert_uint_eq(trace_table_domain(&table, &table.traces[0]), 0);
    ck_assert_uint_eq(trace_table_domain(&table, &table.traces[1]), 1);
}
END_TEST

START_TEST(leaves_have_one_frame) {
    uint32_t count;
    hold(1, 0, 10, 1);
    hold(2, 0, 10, 1);
    open_table(TRACE_KEY_LEAF);
    ck_assert_uint_eq(table.count, 1);
    const uint32_t *window = trace_table_window(&table, &table.traces[0], &count);
    ck_assert_uint_eq(count, 1);
    ck_assert_uint_eq(table.frames.frames[*window].line, 100);
}
END_TEST

START_TEST(a_window_starts_at_its_oldest_frame) {
    uint32_t count;
    hold(7, 0, 10, 1);
    open_table(0);
    const uint32_t *window = trace_table_window(&table, &table.traces[0], &count);
    ck_assert_uint_eq(count, 2);
    ck_assert_uint_eq(table.frames.frames[window[0]].line, 7);
    ck_assert_uint_eq(table.frames.frames[window[1]].line, 100);
}
END_TEST

START_TEST(what_is_gone_is_there_where_asked_for) {
    struct tracemalloc_dump_bucket *gone =
        dump_maker_entry(&maker, TRACEMALLOC_DUMP_BUCKETS, hold(1, 0, 10, 0));
    gone->total = 7;
    hold(2, 0, 10, 1);
    open_table(TRACE_KEY_EVER);
    ck_assert_uint_eq(table.count, 2);
    ck_trace(0, 10, 1);
    ck_trace(1, 0, 0);
    ck_assert_uint_eq(table.traces[1].allocated.size, 70);
    ck_assert_uint_eq(table.traces[1].allocated.count, 7);
}
END_TEST

START_TEST(what_is_gone_is_left_out_else) {
    hold(1, 0, 10, 0);
    open_table(0);
    ck_assert_uint_eq(table.count, 0);
}
END_TEST

START_TEST(the_rest_is_one_trace_for_each_domain) {
    uint32_t count;
    hold(1, 0, 1000, 1);
    hold(2, 0, 10, 1);
    hold(3, 0, 20, 1);
    hold(4, 1, 5, 1);
    input.limit = 1;
    open_table(TRACE_KEY_DOMAIN);
    ck_assert_uint_eq(table.count, 3);
    ck_trace(0, 1000, 1);
    ck_trace(1, 30, 2);
    ck_trace(2, 5, 1);
    ck_assert_uint_eq(table.traces[1].stack, TRACE_TABLE_REST);
    const uint32_t *window = trace_table_window(&table, &table.traces[2], &count);
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(
        frame_table_label(&table.frames, &table.frames.frames[*window]).bytes,
        "<other>");
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("trace_table");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, equal_windows_are_one_trace);
    tcase_add_test(tests, domains_are_told_apart_where_asked_for);
    tcase_add_test(tests, leaves_have_one_frame);
    tcase_add_test(tests, a_window_starts_at_its_oldest_frame);
    tcase_add_test(tests, what_is_gone_is_there_where_asked_for);
    tcase_add_test(tests, what_is_gone_is_left_out_else);
    tcase_add_test(tests, the_rest_is_one_trace_for_each_domain);
    return check_run("trace_table", tests);
}
