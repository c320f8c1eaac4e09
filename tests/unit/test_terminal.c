/* SPDX-License-Identifier: MIT */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_run.h"
#include "output/terminal.h"

static char *output;
static size_t size;
static struct terminal terminal;

static void set_up(void) {
    setlocale(LC_CTYPE, "C.UTF-8");
    terminal = (struct terminal){.out = open_memstream(&output, &size), .width = 40};
}

static void ck_output(const char *expected) {
    fclose(terminal.out);
    ck_assert_str_eq(output, expected);
    free(output);
}

static void put_end(const char *text, size_t room) {
    terminal_put_end(&terminal, TERMINAL_STRONG, text, strlen(text), room);
    fputc('|', terminal.out);
}

static void put_start(const char *text, size_t room) {
    terminal_put_start(&terminal, TERMINAL_PLAIN, text, strlen(text), room);
    fputc('|', terminal.out);
}

START_TEST(nothing_is_cut_elsewhere) {
    put_end("a long text", 3);
    put_start("a long text", 3);
    put_start("tab\there", 3);
    put_start("\xed\xb3\xa9\xed\xb2\x80", 3);
    ck_output("a long text|a long text|tab\there|\xe9?|");
}
END_TEST

START_TEST(a_terminal_gets_what_fits) {
    terminal.interactive = true;
    put_end("abcdefgh", 8);
    put_end("abcdefgh", 7);
    put_end("abcdefgh", 2);
    put_start("abcdefgh", 7);
    put_start("abcdefgh", 2);
    ck_output("abcdefgh|...efgh|gh|abcd...|ab|");
}
END_TEST

START_TEST(wide_characters_take_two_columns) {
    terminal.interactive = true;
    ck_assert_uint_eq(terminal_columns(&terminal, "\xe6\xbc\xa2x", 4), 3);
    put_end("\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2", 5);
    put_start("\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2", 5);
    ck_output("...\xe6\xbc\xa2|\xe6\xbc\xa2...|");
}
END_TEST

START_TEST(control_characters_never_come_through) {
    put_start("a\x1b[31mb\nc\x7f\xc2\x9b", 40);
    terminal.interactive = true;
    put_start("tab\there\xed\xb2\x80\xff", 40);
    ck_output("a?[31mb?c??|tab here??|");
}
END_TEST

START_TEST(colour_is_switched_off_again) {
    terminal.interactive = terminal.colour = true;
    put_end("x", 5);
    put_start("y", 5);
    ck_output("\x1b[1mx\x1b[0m|y|");
}
END_TEST

START_TEST(a_file_is_no_terminal) {
    struct terminal opened;
    FILE *file = tmpfile();
    terminal_open(&opened, file);
    ck_assert(!opened.interactive);
    ck_assert(!opened.colour);
    fclose(file);
    ck_output("");
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("terminal");
    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_test(tests, nothing_is_cut_elsewhere);
    tcase_add_test(tests, a_terminal_gets_what_fits);
    tcase_add_test(tests, wide_characters_take_two_columns);
    tcase_add_test(tests, control_characters_never_come_through);
    tcase_add_test(tests, colour_is_switched_off_again);
    tcase_add_test(tests, a_file_is_no_terminal);
    return check_run("terminal", tests);
}
