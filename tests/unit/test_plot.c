/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "check_run.h"
#include "show/plot.h"

static char *output;
static size_t size;

static void tear_down(void) {
    free(output);
    output = NULL;
}

static void draw_row(bool unicode, const double *values, size_t count, size_t row,
                     size_t rows) {
    free(output);
    FILE *stream = open_memstream(&output, &size);
    struct terminal terminal = {.out = stream, .unicode = unicode};
    plot_row(&terminal, values, count, 16, row, rows);
    fclose(stream);
}

START_TEST(rows_from_the_top) {
    static const double values[] = {0, 0.001, 4, 8, 12, 16};
    draw_row(true, values, 6, 1, 2);
    ck_assert_str_eq(output, " ▁▄███");
    draw_row(true, values, 6, 0, 2);
    ck_assert_str_eq(output, "    ▄█");
    draw_row(false, values, 6, 0, 1);
    ck_assert_str_eq(output, " ..:|#");
}
END_TEST

static size_t draw_bar(bool unicode, double share, size_t columns) {
    free(output);
    FILE *stream = open_memstream(&output, &size);
    struct terminal terminal = {.out = stream, .unicode = unicode};
    size_t taken = plot_bar(&terminal, share, columns);
    fclose(stream);
    return taken;
}

START_TEST(bars_stay_in_their_room) {
    ck_assert_uint_eq(draw_bar(true, 0.5, 5), 3);
    ck_assert_str_eq(output, "██▌");
    ck_assert_uint_eq(draw_bar(false, 0.5, 5), 2);
    ck_assert_str_eq(output, "##");
    ck_assert_uint_eq(draw_bar(true, 7, 4), 4);
    ck_assert_uint_eq(draw_bar(true, -1, 4), 0);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("plot");
    tcase_add_checked_fixture(tests, NULL, tear_down);
    tcase_add_test(tests, rows_from_the_top);
    tcase_add_test(tests, bars_stay_in_their_room);
    return check_run("plot", tests);
}
