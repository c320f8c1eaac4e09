/* SPDX-License-Identifier: MIT */
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "check_run.h"
#include "opened_dump.h"
#include "show/json_report.h"
#include "show/text_report.h"

static struct dump_maker maker;
static char *output;
static size_t size;

static void set_up(void) {
    setlocale(LC_CTYPE, "C.UTF-8");
    dump_maker_open(&maker);
    uint32_t code = dump_maker_code(&maker, "/a/folder/with/a/long/name/x.py", "f");
    uint32_t caller = dump_maker_stack(&maker, 0, code, 1);
    dump_maker_bucket(
        &maker, dump_maker_site(&maker, dump_maker_stack(&maker, caller, code, 2), 0),
        2048, 10, 0);
    dump_maker_bucket(&maker,
                      dump_maker_site(&maker, dump_maker_stack(&maker, 0, code, 3), 0),
                      1, 1, 0);
}

static void tear_down(void) {
    free(output);
    dump_maker_close(&maker);
}

enum form { TEXT, JSON };

static void report(enum grouping_key key, size_t limit, size_t width, enum form form) {
    struct opened_dump opened;
    struct grouping grouping;
    struct statistics statistics;
    opened_dump_open(&opened, &maker, PROFILE_NOW);
    ck_assert_int_eq(grouping_open(&grouping, &opened.profile, key, false), 0);
    ck_assert_int_eq(statistics_open(&statistics, &grouping), 0);
    statistics_sort(&statistics, limit);
    FILE *stream = open_memstream(&output, &size);
    struct terminal terminal = {
        .out = stream, .interactive = width > 0, .width = width};
    if (form == JSON)
        ck_assert_int_eq(json_report_print(stream, &statistics, "now", NULL), 0);
    else
        text_report_print(&terminal, &statistics);
    text_report_print_completeness(&terminal, opened.reader, NULL);
    fclose(stream);
    statistics_close(&statistics);
    grouping_close(&grouping);
    opened_dump_close(&opened);
}

START_TEST(lines_with_the_rest_and_the_total) {
    report(GROUPING_LINENO, 1, 0, TEXT);
    ck_assert_str_eq(
        output,
        "/a/folder/with/a/long/name/x.py:2: size=20.0 KiB, count=10, average=2048 B\n"
        "1 other: size=1 B, count=1\n"
        "Total: size=20.0 KiB, count=11\n");
}
END_TEST

START_TEST(native_frames_tell_their_functions) {
    struct tracemalloc_dump_module entry = {.path = dump_maker_text(&maker, "/lib/x")};
    struct tracemalloc_dump_symbol symbol = {
        .module = dump_maker_append(&maker, TRACEMALLOC_DUMP_MODULES, &entry),
        .function = dump_maker_text(&maker, "native"),
        .address = 0x20};
    uint32_t stack =
        dump_maker_stack(&maker, 0, TRACEMALLOC_DUMP_NATIVE | symbol.module, 0x20);
    dump_maker_append(&maker, TRACEMALLOC_DUMP_SYMBOLS, &symbol);
    dump_maker_bucket(&maker, dump_maker_site(&maker, stack, 1), 1 << 20, 1, 0);
    report(GROUPING_TRACEBACK, 1, 0, TEXT);
    ck_assert_ptr_nonnull(strstr(output, "\n  File \"/lib/x+0x20\", in native\n"));
    free(output);
    report(GROUPING_FUNCTION, 1, 0, TEXT);
    ck_assert_ptr_nonnull(strstr(output, "native (/lib/x): size=1024 KiB"));
    free(output);
    report(GROUPING_LINENO, 1, 0, TEXT);
    ck_assert_ptr_nonnull(strstr(output, "/lib/x+0x20: size=1024 KiB"));
    free(output);
    report(GROUPING_TRACEBACK, 1, 0, JSON);
    ck_assert_ptr_nonnull(
        strstr(output, "{\"filename\":null,\"lineno\":null,\"function\":\"native\","
                       "\"native\":true,\"module\":\"/lib/x\",\"offset\":32}"));
}
END_TEST

START_TEST(tracebacks_have_their_frames) {
    report(GROUPING_TRACEBACK, 1, 0, TEXT);
    ck_assert_str_eq(
        output,
        "/a/folder/with/a/long/name/x.py:2: size=20.0 KiB, count=10, average=2048 B\n"
        "  File \"/a/folder/with/a/long/name/x.py\", line 1\n"
        "  File \"/a/folder/with/a/long/name/x.py\", line 2\n"
        "1 other: size=1 B, count=1\n"
        "Total: size=20.0 KiB, count=11\n");
}
END_TEST

START_TEST(blocks_without_frames_are_named_in_words) {
    static const enum grouping_key keys[] = {GROUPING_LINENO, GROUPING_FILENAME,
                                             GROUPING_FUNCTION, GROUPING_MODULE};
    dump_maker_bucket(&maker, dump_maker_site(&maker, 0, 0), 1 << 20, 1, 0);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        report(keys[i], 1, 0, TEXT);
        ck_assert_ptr_eq(strstr(output, "no Python frame (start-up, C threads): size="),
                         output);
        free(output);
    }
    report(GROUPING_TRACEBACK, 1, 0, TEXT);
    ck_assert_ptr_nonnull(
        strstr(output, "\n  no Python frame (start-up, C threads)\n"));
    free(output);
    report(GROUPING_LINENO, 1, 0, JSON);
    ck_assert_ptr_nonnull(strstr(output, "\"filename\":\"<unknown>\""));
}
END_TEST

START_TEST(no_line_is_wider_than_the_terminal) {
    for (size_t width = TERMINAL_MIN_WIDTH; width < 90; width++) {
        report(GROUPING_TRACEBACK, 1, width, TEXT);
        for (char *line = strtok(output, "\n"); line != NULL; line = strtok(NULL, "\n"))
            ck_assert_uint_le(strlen(line), width);
        free(output);
        output = NULL;
    }
}
END_TEST

START_TEST(narrow_terminals_get_two_lines) {
    report(GROUPING_TRACEBACK, 1, 40, TEXT);
    ck_assert_ptr_nonnull(strstr(output, "/a/folder/with/a/long/name/x.py:2:\n"
                                         "  size=20.0 KiB, count=10\n  File"));
}
END_TEST

START_TEST(a_dump_that_is_incomplete_says_so) {
    maker.header.lost[TRACEMALLOC_DUMP_LOST_NAMES] = 2;
    report(GROUPING_LINENO, 1, 0, TEXT);
    ck_assert_ptr_nonnull(strstr(output,
                                 "\nIncomplete: the table of names was full: 2 names "
                                 "were cut or replaced\n"));
}
END_TEST

START_TEST(the_document_for_programs) {
    report(GROUPING_TRACEBACK, 1, 0, JSON);
    ck_assert_str_eq(output,
                     "{\"group_by\":\"traceback\",\"cumulative\":false,\"at\":\"now\","
                     "\"incomplete_reasons\":[],\"complete\":true,"
                     "\"sample_distance\":0,\"total\":{\"size\":"
                     "20481,\"count\":11},"
                     "\"statistics\":[{\"size\":20480,\"count\":10,\"traceback\":["
                     "{\"filename\":\"/a/folder/with/a/long/name/"
                     "x.py\",\"lineno\":1,\"function\":\"f\"},"
                     "{\"filename\":\"/a/folder/with/a/long/name/"
                     "x.py\",\"lineno\":2,\"function\":\"f\"}],"
                     "\"total_nframe\":2}]}\n");
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("text_report");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, lines_with_the_rest_and_the_total);
    tcase_add_test(tests, native_frames_tell_their_functions);
    tcase_add_test(tests, tracebacks_have_their_frames);
    tcase_add_test(tests, blocks_without_frames_are_named_in_words);
    tcase_add_test(tests, no_line_is_wider_than_the_terminal);
    tcase_add_test(tests, narrow_terminals_get_two_lines);
    tcase_add_test(tests, a_dump_that_is_incomplete_says_so);
    tcase_add_test(tests, the_document_for_programs);
    return check_run("text_report", tests);
}
