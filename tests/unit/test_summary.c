/* SPDX-License-Identifier: MIT */
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "check_run.h"
#include "opened_dump.h"
#include "show/summary_advice.h"
#include "show/summary_json.h"
#include "show/summary_text.h"

static const uint64_t second = 1000000000;

static struct dump_maker maker;
static struct dump_reader *reader;
static struct summary summary;
static char *output;
static size_t size;

static void set_up(void) {
    setlocale(LC_CTYPE, "C.UTF-8");
    dump_maker_open(&maker);
}

static void tear_down(void) {
    free(output);
    output = NULL;
    summary_close(&summary);
    dump_reader_close(reader);
    dump_maker_close(&maker);
}

static uint32_t hold(uint32_t line, uint64_t bytes, uint32_t count) {
    uint32_t code = dump_maker_code(&maker, "/srv/app.py", "f");
    uint32_t site = dump_maker_site(&maker, dump_maker_stack(&maker, 0, code, line), 0);
    return dump_maker_bucket(&maker, site, bytes, count, 0);
}

static void add_moment(uint64_t time, uint64_t python, uint64_t rss) {
    struct tracemalloc_dump_timeline_sample sample = {time, python, 0, rss};
    dump_maker_append(&maker, TRACEMALLOC_DUMP_TIMELINE, &sample);
}

static void summarize(void) {
    reader = opened_dump_read(&maker);
    ck_assert_int_eq(summary_open(&summary, reader), 0);
    summary_advice_give(&summary);
}

START_TEST(the_largest_blocks_in_order) {
    hold(1, 100, 3);
    hold(2, 7000, 1);
    hold(3, 50, 1);
    hold(4, 60, 1);
    hold(5, 70, 1);
    hold(6, 80, 1);
    hold(2, 7000, 2);
    summarize();
    ck_assert_uint_eq(summary.largest_count, SUMMARY_TOP);
    ck_assert_uint_eq(summary.largest[0].size, 7000);
    ck_assert_uint_eq(summary.largest[0].count, 3);
    ck_assert_uint_eq(summary.largest[1].size, 100);
    ck_assert_uint_eq(summary.largest[4].size, 60);
    ck_assert_uint_eq(summary.tops[SUMMARY_NOW].entries[0].frame.line, 2);
}
END_TEST

START_TEST(sizes_by_class) {
    hold(1, 64, 2);
    hold(1, 65, 1);
    hold(1, (uint64_t)3 << 20, 1);
    summarize();
    ck_assert_uint_eq(summary.classes[0].count, 2);
    ck_assert_uint_eq(summary.classes[1].size, 65);
    ck_assert_uint_eq(summary.classes[SUMMARY_CLASSES - 1].count, 1);
}
END_TEST

/* The last moment before the teardown gave everything back. */
START_TEST(resident_memory_is_explained) {
    hold(1, 100, 100);
    maker.header.arena_bytes = 20000;
    maker.header.tracer_bytes = 3000;
    maker.header.shared_bytes = 60000;
    add_moment(1, 10000, 90000);
    add_moment(2, 100, 70000);
    summarize();
    ck_assert_uint_eq(summary.rss.whole, 90000);
    const uint64_t *parts = summary.rss.parts;
    ck_assert_uint_eq(parts[RESIDENT_PYTHON], 10000);
    ck_assert_uint_eq(parts[RESIDENT_OVERHEAD], 100 * 12);
    ck_assert_uint_eq(parts[RESIDENT_ARENAS_FREE], 20000 - 100 * 112);
    ck_assert_uint_eq(parts[RESIDENT_TRACER], 3000 + reader->header.file_size);
    ck_assert_uint_eq(parts[RESIDENT_FILES], 60000 - reader->header.file_size);
    uint64_t sum = 0;
    for (int part = 0; part < RESIDENT_PARTS; part++)
        sum += parts[part];
    ck_assert_uint_eq(sum, 90000);
}
END_TEST

START_TEST(one_line_that_holds_most_is_named) {
    hold(7, 900, 1);
    hold(8, 100, 1);
    summarize();
    ck_assert_ptr_nonnull(strstr(summary.advice, "90% of the memory: f, app.py:7."));
}
END_TEST

START_TEST(a_heap_that_grows_to_the_end_is_told) {
    hold(7, 900, 1);
    for (uint64_t i = 0; i < 100; i++)
        add_moment(i * second, i * 1000, i * 1000);
    summarize();
    ck_assert_ptr_nonnull(strstr(summary.advice, "still growing"));
}
END_TEST

START_TEST(a_peak_far_above_what_stays_is_told) {
    for (uint32_t line = 1; line <= 10; line++)
        dump_maker_peak(&maker, hold(line, 100, 1), 10);
    summarize();
    ck_assert_ptr_nonnull(strstr(summary.advice, "tree --at peak"));
}
END_TEST

static void print(size_t width) {
    FILE *stream = open_memstream(&output, &size);
    struct terminal terminal = {
        .out = stream, .interactive = width > 0, .width = width};
    summary_text_print(&terminal, &summary);
    fclose(stream);
}

START_TEST(no_line_is_wider_than_the_terminal) {
    for (uint32_t line = 1; line <= 10; line++)
        hold(line * 1000, 100000 * line, 1000000);
    for (uint64_t i = 1; i < 50; i++)
        add_moment(i * second, 1000 << i % 20, 5000000);
    summarize();
    for (size_t width = TERMINAL_MIN_WIDTH; width < 140; width++) {
        print(width);
        for (char *line = strtok(output, "\n"); line != NULL; line = strtok(NULL, "\n"))
            ck_assert_msg(strlen(line) <= width, "%zu: %s", width, line);
        free(output);
        output = NULL;
    }
}
END_TEST

START_TEST(a_dump_of_nothing) {
    summarize();
    print(0);
    ck_assert_ptr_nonnull(strstr(output, "Nothing was allocated"));
    ck_assert_ptr_null(strstr(output, "Heap over time"));
}
END_TEST

START_TEST(the_document_for_programs) {
    struct json_writer writer;
    hold(7, 900, 1);
    add_moment(1500000000, 5, 6);
    summarize();
    FILE *stream = open_memstream(&output, &size);
    ck_assert_int_eq(json_writer_open(&writer, stream), 0);
    json_writer_open_map(&writer);
    summary_json_add(&writer, &summary);
    json_writer_close_map(&writer);
    ck_assert_int_eq(json_writer_close(&writer), 0);
    fclose(stream);
    static const char *const parts[] = {
        "\"timeline\":[{\"time\":1.500000000,\"python_bytes\":5,\"native_bytes\":0,"
        "\"rss_bytes\":6}]",
        "\"total\":{\"size\":900,\"count\":1}",
        "\"largest_blocks\":[{\"size\":900,\"count\":1,\"traceback\":[{\"filename\":"
        "\"/srv/app.py\",\"lineno\":7,\"function\":\"f\"}]}]",
        "{\"up_to\":64,\"size\":0,\"count\":0}",
        "\"complete\":true",
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        ck_assert_msg(strstr(output, parts[i]) != NULL, "%s", parts[i]);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("summary");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, the_largest_blocks_in_order);
    tcase_add_test(tests, sizes_by_class);
    tcase_add_test(tests, resident_memory_is_explained);
    tcase_add_test(tests, one_line_that_holds_most_is_named);
    tcase_add_test(tests, a_heap_that_grows_to_the_end_is_told);
    tcase_add_test(tests, a_peak_far_above_what_stays_is_told);
    tcase_add_test(tests, no_line_is_wider_than_the_terminal);
    tcase_add_test(tests, a_dump_of_nothing);
    tcase_add_test(tests, the_document_for_programs);
    return check_run("summary", tests);
}
