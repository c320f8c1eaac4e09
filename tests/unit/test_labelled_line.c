/* SPDX-License-Identifier: MIT */
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "check_run.h"
#include "show/labelled_line.h"

static char *output;

static void set_up(void) {
    setlocale(LC_CTYPE, "C.UTF-8");
}

static void tear_down(void) {
    free(output);
    output = NULL;
}

static void print(size_t width, const char *label, const char *text) {
    size_t size;
    free(output);
    FILE *stream = open_memstream(&output, &size);
    struct terminal terminal = {
        .out = stream, .interactive = width > 0, .width = width};
    labelled_line_print(&terminal, 8, label, "%s, %d", text, 7);
    fclose(stream);
}

START_TEST(texts_stand_in_one_column) {
    print(0, "peak", "much");
    ck_assert_str_eq(output, "peak    much, 7\n");
    print(0, "", "much");
    ck_assert_str_eq(output, "        much, 7\n");
    print(40, "a long label", "much");
    ck_assert_uint_eq((size_t)(strstr(output, "much") - output), 8);
    print(0, "a long label", "much");
    ck_assert_str_eq(output, "a long label much, 7\n");
}
END_TEST

START_TEST(only_terminals_cut) {
    char text[200];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    print(40, "peak", text);
    ck_assert_uint_eq(strlen(output), 40 + 1);
    print(0, "peak", text);
    ck_assert_uint_eq(strlen(output), 8 + strlen(text) + strlen(", 7\n"));
}
END_TEST

START_TEST(weights_in_words) {
    char text[LABELLED_LINE_WEIGHT_SIZE];
    labelled_line_format_weight(text, (struct weight){.size = 4300, .count = 4});
    ck_assert_str_eq(text, "4300 B in 4 blocks");
    labelled_line_format_weight(
        text, (struct weight){.size = UINT64_MAX, .count = UINT64_MAX});
    ck_assert_uint_lt(strlen(text), sizeof text);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("labelled_line");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, texts_stand_in_one_column);
    tcase_add_test(tests, only_terminals_cut);
    tcase_add_test(tests, weights_in_words);
    return check_run("labelled_line", tests);
}
