/* SPDX-License-Identifier: MIT */
#include "check_run.h"
#include "export/sample_values.h"
#include "export/trace_history.h"
#include "opened_dump.h"

static struct dump_maker maker;
static struct trace_history history;
static int64_t values[SAMPLE_VALUES];

static void set_up(void) {
    dump_maker_open(&maker);
    maker.header.pid = 4242;
    maker.header.start_time = 1000;
}

static void tear_down(void) {
    trace_history_close(&history);
    dump_maker_close(&maker);
}

static uint32_t hold(uint32_t line, uint64_t size, uint32_t live) {
    uint32_t code = dump_maker_code(&maker, "x.py", "f");
    uint32_t stack = dump_maker_stack(&maker, 0, code, line);
    uint32_t site = dump_maker_site(&maker, stack, 0);
    return dump_maker_bucket(&maker, site, size, live, 0);
}

/* Reads the dump, and sums what is exported. */
static void read_dump(uint64_t time) {
    static const struct filter everything;
    struct export_input input;
    struct trace_table table;
    int64_t some[SAMPLE_VALUES];
    export_input_prepare(&input);
    input.history = &history;
    trace_history_begin(&history, time);
    struct dump_reader *reader = opened_dump_read(&maker);
    ck_assert_int_eq(export_input_open(&input, reader, &everything), 0);
    ck_assert_int_eq(sample_values_open(&table, &input), 0);
    memset(values, 0, sizeof values);
    for (size_t i = 0; i < table.count; i++) {
        sample_values_fill(some, &table.traces[i]);
        for (int j = 0; j < SAMPLE_VALUES; j++)
            values[j] += some[j];
    }
    trace_table_close(&table);
    export_input_close(&input);
    dump_reader_close(reader);
}

static void ck_values(int64_t held, int64_t bytes, int64_t blocks) {
    ck_assert_int_eq(values[SAMPLE_VALUE_INUSE_SPACE], held);
    ck_assert_int_eq(values[SAMPLE_VALUE_ALLOC_SPACE], bytes);
    ck_assert_int_eq(values[SAMPLE_VALUE_ALLOC_OBJECTS], blocks);
}

START_TEST(what_was_sent_is_left_out) {
    hold(1, 10, 1);
    read_dump(2000);
    ck_values(10, 10, 1);
    trace_history_commit(&history);
    ck_assert_uint_eq(history.sent_until, 2000);
    read_dump(3000);
    ck_values(10, 0, 0);
    hold(1, 20, 2);
    hold(2, 5, 1);
    read_dump(4000);
    ck_values(55, 45, 3);
}
END_TEST

START_TEST(what_was_not_sent_is_there_again) {
    hold(1, 10, 1);
    read_dump(2000);
    hold(1, 20, 1);
    read_dump(3000);
    ck_values(30, 30, 2);
    ck_assert_uint_eq(history.sent_until, 0);
}
END_TEST

START_TEST(another_process_has_its_own) {
    hold(1, 10, 1);
    read_dump(2000);
    trace_history_commit(&history);
    maker.header.pid = 4243;
    read_dump(3000);
    ck_values(10, 10, 1);
    trace_history_commit(&history);
    maker.header.start_time++;
    read_dump(4000);
    ck_values(10, 10, 1);
}
END_TEST

START_TEST(traces_that_are_gone_are_forgotten) {
    for (uint32_t line = 1; line <= 2000; line++)
        hold(line, 10, 1);
    read_dump(2000);
    trace_history_commit(&history);
    dump_maker_close(&maker);
    set_up();
    hold(7, 10, 1);
    read_dump(3000);
    ck_values(10, 0, 0);
    trace_history_commit(&history);
    ck_assert_uint_eq(history.ids.count, 1);
    read_dump(4000);
    ck_values(10, 0, 0);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("trace_history");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, what_was_sent_is_left_out);
    tcase_add_test(tests, what_was_not_sent_is_there_again);
    tcase_add_test(tests, another_process_has_its_own);
    tcase_add_test(tests, traces_that_are_gone_are_forgotten);
    return check_run("trace_history", tests);
}
