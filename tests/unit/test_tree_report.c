/* SPDX-License-Identifier: MIT */
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "check_run.h"
#include "opened_dump.h"
#include "show/tree_report.h"

static struct dump_maker maker;
static char *output;
static size_t size;

static void set_up(void) {
    setlocale(LC_CTYPE, "C.UTF-8");
    dump_maker_open(&maker);
}

static void tear_down(void) {
    free(output);
    dump_maker_close(&maker);
}

static void hold(uint32_t stack, uint64_t bytes) {
    dump_maker_bucket(&maker, dump_maker_site(&maker, stack, 0), bytes, 1, 0);
}

static void report(size_t width, double share) {
    struct opened_dump opened;
    struct call_tree tree;
    opened_dump_open(&opened, &maker, PROFILE_NOW);
    ck_assert_int_eq(call_tree_open(&tree, &opened.profile, share), 0);
    FILE *stream = open_memstream(&output, &size);
    struct terminal terminal = {
        .out = stream, .interactive = width > 0, .width = width};
    tree_report_print(&terminal, &tree);
    fclose(stream);
    call_tree_close(&tree);
    opened_dump_close(&opened);
}

START_TEST(chains_stay_in_one_column) {
    uint32_t code = dump_maker_code(&maker, "/x/app.py", "f");
    uint32_t root = dump_maker_stack(&maker, 0, code, 1);
    uint32_t next = dump_maker_stack(&maker, root, code, 2);
    hold(dump_maker_stack(&maker, next, code, 3), 600);
    hold(dump_maker_stack(&maker, next, code, 4), 300);
    hold(next, 95);
    hold(dump_maker_stack(&maker, next, code, 5), 5);
    report(0, 0.01);
    ck_assert_str_eq(output, "     SIZE  SHARE    BLOCKS CALL\n"
                             "   1000 B 100.0%         4 f  /x/app.py:1\n"
                             "   1000 B 100.0%         4 f  /x/app.py:2\n"
                             "    600 B  60.0%         1 |-f  /x/app.py:3\n"
                             "    300 B  30.0%         1 |-f  /x/app.py:4\n"
                             "     95 B   9.5%         1 `-(itself)\n");
}
END_TEST

START_TEST(what_was_folded_is_told_where_it_matters) {
    uint32_t code = dump_maker_code(&maker, "app.py", "f");
    for (uint32_t line = 1; line <= 50; line++)
        hold(dump_maker_stack(&maker, 0, code, line), 20);
    report(0, 0.1);
    ck_assert_ptr_nonnull(
        strstr(output, "   1000 B 100.0%        50 `-(50 smaller)\n"));
}
END_TEST

START_TEST(no_line_is_wider_than_the_terminal) {
    uint32_t code = dump_maker_code(&maker, "/a/folder/with/a/long/name/x.py",
                                    "a_function_with_a_long_name.<locals>.inner");
    uint32_t stack = 0;
    for (uint32_t depth = 0; depth < 40; depth++) {
        stack = dump_maker_stack(&maker, stack, code, depth);
        hold(dump_maker_stack(&maker, stack, code, 1000 + depth), 1000 + depth);
    }
    for (size_t width = TERMINAL_MIN_WIDTH; width < 130; width++) {
        report(width, 0.001);
        for (char *line = strtok(output, "\n"); line != NULL; line = strtok(NULL, "\n"))
            ck_assert_uint_le(strlen(line), width);
        free(output);
        output = NULL;
    }
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("tree_report");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, chains_stay_in_one_column);
    tcase_add_test(tests, what_was_folded_is_told_where_it_matters);
    tcase_add_test(tests, no_line_is_wider_than_the_terminal);
    return check_run("tree_report", tests);
}
