/* SPDX-License-Identifier: MIT */
#include "base/message.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "suite.h"

static int ends[2];

/* From now on standard error is a pipe. */
static void catch_stderr(void) {
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    close(ends[1]);
}

static size_t caught(char *buffer, size_t size) {
    close(STDERR_FILENO);
    ssize_t length = read(ends[0], buffer, size - 1);
    ck_assert_int_ge(length, 0);
    buffer[length] = '\0';
    return (size_t)length;
}

START_TEST(parts_are_joined_into_one_line) {
    char text[128];
    catch_stderr();
    errno = EXDEV;
    message("cannot write ", "a.dump", ": ", "no space", NULL);
    ck_assert_int_eq(errno, EXDEV);
    caught(text, sizeof text);
    ck_assert_str_eq(text, "tracemalloc: cannot write a.dump: no space\n");
}
END_TEST

START_TEST(names_are_made_harmless) {
    char text[128];
    catch_stderr();
    message("a\x1b[31m\n\xc2\x9b\xe2\x80\xae\xff",
            "\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x8d", NULL);
    caught(text, sizeof text);
    ck_assert_str_eq(
        text, "tracemalloc: a?[31m???????\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x8d\n");
}
END_TEST

START_TEST(a_long_line_is_cut_and_ends) {
    char text[2048], part[1024];
    memset(part, 'x', sizeof part);
    part[sizeof part - 1] = '\0';
    catch_stderr();
    message(part, part, NULL);
    size_t length = caught(text, sizeof text);
    ck_assert_uint_eq(length, 512);
    ck_assert_ptr_eq(strchr(text, '\n'), text + length - 1);
}
END_TEST

START_TEST(another_file_gets_nothing) {
    char text[128];
    catch_stderr();
    message_prepare();
    message("one", NULL);
    int other[2], first = dup(STDERR_FILENO);
    ck_assert_int_eq(pipe(other), 0);
    dup2(other[1], STDERR_FILENO);
    message("two", NULL);
    close(STDERR_FILENO);
    errno = EXDEV;
    message("three", NULL);
    ck_assert_int_eq(errno, EXDEV);
    dup2(first, STDERR_FILENO);
    close(first);
    message("four", NULL);
    caught(text, sizeof text);
    ck_assert_str_eq(text, "tracemalloc: one\ntracemalloc: four\n");
    close(other[1]);
    ck_assert_int_eq(read(other[0], text, sizeof text), 0);
}
END_TEST

START_TEST(closed_at_the_start) {
    char text[128];
    int first = dup(STDERR_FILENO);
    close(STDERR_FILENO);
    message_prepare();
    dup2(first, STDERR_FILENO);
    catch_stderr();
    message("one", NULL);
    caught(text, sizeof text);
    ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(quiet_is_quiet) {
    char text[64];
    catch_stderr();
    message_quiet(true);
    message("one", NULL);
    message_quiet(false);
    message("two", NULL);
    caught(text, sizeof text);
    ck_assert_str_eq(text, "tracemalloc: two\n");
}
END_TEST

START_TEST(a_closed_standard_error_does_no_harm) {
    catch_stderr();
    close(STDERR_FILENO);
    errno = EXDEV;
    message("nobody reads this", NULL);
    ck_assert_int_eq(errno, EXDEV);
}
END_TEST

START_TEST(numbers) {
    char buffer[21];
    ck_assert_str_eq(message_number(buffer, 0), "0");
    ck_assert_str_eq(message_number(buffer, 1000), "1000");
    ck_assert_str_eq(message_number(buffer, UINT64_MAX), "18446744073709551615");
}
END_TEST

int main(void) {
    const TTest *const tests[] = {parts_are_joined_into_one_line,
                                  names_are_made_harmless,
                                  a_long_line_is_cut_and_ends,
                                  another_file_gets_nothing,
                                  closed_at_the_start,
                                  quiet_is_quiet,
                                  a_closed_standard_error_does_no_harm,
                                  numbers};
    return suite_run("message", tests, sizeof tests / sizeof *tests);
}
