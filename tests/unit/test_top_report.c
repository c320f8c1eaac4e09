/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "check_run.h"
#include "opened_dump.h"
#include "show/top_report.h"

static struct dump_maker maker;
static struct opened_dump opened;
static struct top_table table;
static char *output;
static size_t size;

static void set_up(void) {
    dump_maker_open(&maker);
    for (uint32_t line = 1; line <= 30; line++) {
        uint32_t code = dump_maker_code(&maker, "/a/folder/with/a/long/name/module.py",
                                        "a_function_of_it");
        uint32_t caller = dump_maker_stack(&maker, 0, code, 100 + line);
        uint32_t stack = dump_maker_stack(&maker, caller, code, line);
        dump_maker_bucket(&maker, dump_maker_site(&maker, stack, 0), 1000 * line, 10,
                          0);
    }
    for (uint64_t i = 0; i < 50; i++) {
        struct tracemalloc_dump_timeline_sample sample = {i * 1000000, i * 100, 0, 0};
        dump_maker_append(&maker, TRACEMALLOC_DUMP_TIMELINE, &sample);
    }
    opened_dump_open(&opened, &maker, PROFILE_NOW);
    static const struct top_sample none;
    ck_assert_int_eq(top_table_open(&table, &opened.profile, GROUPING_LINENO, &none,
                                    &none, 1000000000),
                     0);
    top_table_sort(&table, TOP_BY_SIZE);
}

static void tear_down(void) {
    free(output);
    output = NULL;
    top_table_close(&table);
    opened_dump_close(&opened);
    dump_maker_close(&maker);
}

static void print(size_t width, enum top_order order) {
    struct top_view view = {
        .table = &table,
        .profile = &opened.profile,
        .order = order,
        .note = "child of 7",
        .rss = 123456789,
        .end = 50000000,
        .rows = 3,
    };
    free(output);
    FILE *stream = open_memstream(&output, &size);
    struct terminal terminal = {
        .out = stream, .interactive = width > 0, .width = width};
    top_report_print(&terminal, &view);
    fclose(stream);
}

static size_t count_lines(void) {
    size_t lines = 0;
    for (const char *at = output; *at != '\0'; at++)
        lines += *at == '\n';
    return lines;
}

START_TEST(head_and_rows) {
    print(0, TOP_BY_SIZE);
    ck_assert_uint_eq(count_lines(), TOP_REPORT_HEAD_LINES + 3);
    ck_assert_ptr_nonnull(strstr(output, "exited with status 0"));
    ck_assert_ptr_nonnull(strstr(output, "4194303: python3 app.py"));
    ck_assert_ptr_nonnull(strstr(output, "RSS 118 MiB"));
    ck_assert_ptr_nonnull(strstr(output, "module.py:30\n"));
}
END_TEST

START_TEST(no_line_is_wider_than_the_terminal) {
    for (size_t width = TERMINAL_MIN_WIDTH; width < 130; width++)
        for (int order = 0; order < TOP_ORDERS; order++) {
            print(width, (enum top_order)order);
            ck_assert_uint_eq(count_lines(), TOP_REPORT_HEAD_LINES + 3);
            for (char *line = strtok(output, "\n"); line != NULL;
                 line = strtok(NULL, "\n"))
                ck_assert_uint_le(strlen(line), width);
        }
}
END_TEST

START_TEST(narrow_terminals_show_what_it_is_sorted_by) {
    print(40, TOP_BY_BLOCKS);
    ck_assert_ptr_nonnull(strstr(output, "     blocks  line\n         10  "));
    ck_assert_ptr_null(strstr(output, "alloc/s"));
}
END_TEST

START_TEST(the_traceback_of_a_row) {
    FILE *stream = open_memstream(&output, &size);
    struct terminal terminal = {.out = stream};
    top_report_print_traceback(&terminal, &opened.profile, &table, &table.rows[0]);
    fclose(stream);
    ck_assert_str_eq(output,
                     "293 KiB in 10 blocks: its traceback\n"
                     "a_function_of_it  /a/folder/with/a/long/name/module.py:130\n"
                     "a_function_of_it  /a/folder/with/a/long/name/module.py:30\n");
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("top_report");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, head_and_rows);
    tcase_add_test(tests, no_line_is_wider_than_the_terminal);
    tcase_add_test(tests, narrow_terminals_show_what_it_is_sorted_by);
    tcase_add_test(tests, the_traceback_of_a_row);
    return check_run("top_report", tests);
}
