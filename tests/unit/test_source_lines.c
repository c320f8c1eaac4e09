/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check_run.h"
#include "show/source_lines.h"

static char folder[] = "/tmp/test_source_lines.XXXXXX";
static char source[64], fifo[64];
static struct source_lines lines;
static struct dump_reader reader;

static void set_up(void) {
    reader = (struct dump_reader){.owner = geteuid()};
    strcpy(folder + sizeof folder - 7, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(source, sizeof source, "%s/a.py", folder);
    snprintf(fifo, sizeof fifo, "%s/fifo", folder);
    FILE *file = fopen(source, "w");
    fputs("first\n\n \t third = 3  \r\nlast without an end", file);
    fclose(file);
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
}

static void tear_down(void) {
    source_lines_close(&lines);
    unlink(source);
    unlink(fifo);
    rmdir(folder);
}

static void ck_line(const char *name, uint32_t line, const char *expected) {
    struct dump_text text =
        source_lines_get(&lines, &reader, (struct dump_text){name, strlen(name)}, line);
    ck_assert_uint_eq(text.length, strlen(expected));
    ck_assert_int_eq(memcmp(text.bytes, expected, text.length), 0);
}

START_TEST(lines_are_stripped) {
    ck_line(source, 1, "first");
    ck_line(source, 2, "");
    ck_line(source, 3, "third = 3");
    ck_line(source, 4, "last without an end");
    ck_line(source, 5, "");
    ck_line(source, 0, "");
    ck_line(source, UINT32_MAX, "");
}
END_TEST

START_TEST(only_files_are_read) {
    ck_line("", 1, "");
    ck_line("<string>", 1, "");
    ck_line("/nowhere/at/all.py", 1, "");
    ck_line(folder, 1, "");
    ck_line(fifo, 1, "");
    ck_line("/dev/zero", 1, "");
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("source_lines");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, lines_are_stripped);
    tcase_add_test(tests, only_files_are_read);
    return check_run("source_lines", tests);
}
