/* SPDX-License-Identifier: MIT */
#include "show/watch_report.h"

#include <stdlib.h>
#include <string.h>

#include "suite.h"

static char names[][8] = {"small", "large", "leak", "new", "old", "lost"};

static struct watch_row row(size_t name, bool runs, uint64_t bytes, uint64_t end_time) {
    return (struct watch_row){
        .file = names[name],
        .state = "running",
        .is_readable = true,
        .runs = runs,
        .bytes = bytes,
        .end_time = end_time,
    };
}

static void ck_print(const struct watch_view *view, const char *expected) {
    char *text = NULL;
    size_t size = 0;
    struct terminal terminal = {.out = open_memstream(&text, &size)};
    watch_report_print(&terminal, view);
    fclose(terminal.out);
    ck_assert_ptr_nonnull(strstr(text, expected));
    free(text);
}

START_TEST(what_grows_comes_first_then_what_runs) {
    struct watch_row rows[] = {row(0, true, 10, 0), row(1, true, 20, 0),
                               row(2, true, 1, 0),  row(3, false, 1, 9),
                               row(4, false, 2, 8), row(5, false, 3, 0)};
    const struct watch_row *sorted[] = {&rows[5], &rows[4], &rows[3],
                                        &rows[2], &rows[1], &rows[0]};
    const char *const expected[] = {"leak", "large", "small", "new", "old", "lost"};
    rows[2].word = LEAK_LEAK;
    watch_report_sort(sorted, 6);
    for (size_t i = 0; i < 6; i++)
        ck_assert_str_eq(sorted[i]->file, expected[i]);
}
END_TEST

START_TEST(a_state_names_the_line_that_leaks) {
    char line[] = "app.py:3";
    struct watch_row grows = row(0, true, 10, 0);
    char *text = watch_report_state(&grows);
    ck_assert_str_eq(text, "running");
    free(text);
    grows.line = line;
    grows.word = LEAK_BACKLOG;
    text = watch_report_state(&grows);
    ck_assert_str_eq(text, "running; backlog at app.py:3");
    free(text);
}
END_TEST

START_TEST(rows_beyond_the_limit_are_counted) {
    struct watch_row first = row(0, true, 2048, 0), second = row(1, false, 1, 1);
    const struct watch_row *rows[] = {&first, &second};
    struct watch_view view = {
        .directory = "dumps", .rows = rows, .count = 2, .limit = 1};
    second.has_failed = true;
    ck_print(&view, "dumps: 1 running, 0 with a leak; 1 ended, 1 killed");
    ck_print(&view, "2048 B");
    ck_print(&view, "... and 1 more");
    view.note = "cannot read x";
    ck_print(&view, "\ncannot read x\n");
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        what_grows_comes_first_then_what_runs,
        a_state_names_the_line_that_leaks,
        rows_beyond_the_limit_are_counted,
    };
    return suite_run("watch_report", tests, sizeof tests / sizeof *tests);
}
