/* SPDX-License-Identifier: MIT */
#include "tracing/x_option.h"

#include <errno.h>
#include <string.h>

#include "suite.h"

enum { MOST_WORDS = 8 };

/* The command line `python3 LINE`, its words parted by blanks. */
static long nframe_of(const char *line) {
    static char text[256];
    static char program[] = "python3";
    char *argv[MOST_WORDS + 1] = {program};
    int argc = 1;
    snprintf(text, sizeof text, "%s", line);
    for (char *word = strtok(text, " "); word != NULL; word = strtok(NULL, " "))
        argv[argc++] = word;
    return x_option_nframe(argc, argv);
}

START_TEST(it_is_found_in_each_form) {
    ck_assert_int_eq(nframe_of("-X tracemalloc"), 1);
    ck_assert_int_eq(nframe_of("-Xtracemalloc"), 1);
    ck_assert_int_eq(nframe_of("-X tracemalloc=25 app.py"), 25);
    ck_assert_int_eq(nframe_of("-BsXtracemalloc=25"), 25);
    ck_assert_int_eq(nframe_of("-Bs -X dev -X tracemalloc=25"), 25);
    ck_assert_int_eq(nframe_of("-W error -X tracemalloc=65535"), 65535);
}
END_TEST

START_TEST(it_is_not_found_where_it_is_not_given) {
    ck_assert_int_eq(nframe_of(""), X_OPTION_NOT_GIVEN);
    ck_assert_int_eq(nframe_of("app.py"), X_OPTION_NOT_GIVEN);
    ck_assert_int_eq(nframe_of("-X"), X_OPTION_NOT_GIVEN);
    ck_assert_int_eq(nframe_of("-X tracemallocs"), X_OPTION_NOT_GIVEN);
    ck_assert_int_eq(nframe_of("-X dev"), X_OPTION_NOT_GIVEN);
    ck_assert_int_eq(nframe_of("-X tracemalloc=0"), 0);
}
END_TEST

START_TEST(options_end_where_the_program_begins) {
    ck_assert_int_eq(nframe_of("app.py -X tracemalloc"), X_OPTION_NOT_GIVEN);
    ck_assert_int_eq(nframe_of("-c pass -X tracemalloc"), X_OPTION_NOT_GIVEN);
    ck_assert_int_eq(nframe_of("-m this -X tracemalloc"), X_OPTION_NOT_GIVEN);
    ck_assert_int_eq(nframe_of("-Bcpass -X tracemalloc"), X_OPTION_NOT_GIVEN);
    ck_assert_int_eq(nframe_of("-- -X tracemalloc"), X_OPTION_NOT_GIVEN);
    ck_assert_int_eq(nframe_of("- -X tracemalloc"), X_OPTION_NOT_GIVEN);
    ck_assert_int_eq(nframe_of("-W -X tracemalloc"), X_OPTION_NOT_GIVEN);
}
END_TEST

START_TEST(long_options_are_passed_over) {
    ck_assert_int_eq(nframe_of("--help -X tracemalloc"), 1);
    ck_assert_int_eq(nframe_of("--check-hash-based-pycs always -X tracemalloc=3"), 3);
}
END_TEST

START_TEST(what_the_interpreter_rejects_is_left_to_it) {
    static const char *const wrong[] = {"=-1",  "=x",     "=3x",
                                        "=1.5", "=65536", "=99999999999999999999"};
    errno = EXDEV;
    for (size_t at = 0; at < sizeof wrong / sizeof *wrong; at++) {
        char line[64];
        snprintf(line, sizeof line, "-X tracemalloc%s", wrong[at]);
        ck_assert_int_eq(nframe_of(line), -1);
    }
    ck_assert_int_eq(errno, EXDEV);
}
END_TEST

START_TEST(the_first_one_counts) {
    ck_assert_int_eq(nframe_of("-X tracemalloc=3 -X tracemalloc=5"), 3);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {it_is_found_in_each_form,
                                  it_is_not_found_where_it_is_not_given,
                                  options_end_where_the_program_begins,
                                  long_options_are_passed_over,
                                  what_the_interpreter_rejects_is_left_to_it,
                                  the_first_one_counts};
    return suite_run("x_option", tests, sizeof tests / sizeof *tests);
}
