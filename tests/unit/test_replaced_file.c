/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check_run.h"
#include "output/replaced_file.h"

static char directory[64], path[96], other[96];
static int fd;

static void set_up(void) {
    strcpy(directory, "/tmp/tracemalloc-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/file", directory);
    snprintf(other, sizeof other, "%s/other", directory);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, "before, and longer", 18), 18);
}

static void tear_down(void) {
    close(fd);
    unlink(path);
    unlink(other);
    ck_assert_int_eq(rmdir(directory), 0);
}

static void ck_contents(const char *name, const char *expected) {
    char text[40] = "";
    int opened = open(name, O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(read(opened, text, sizeof text - 1), 0);
    close(opened);
    ck_assert_str_eq(text, expected);
}

static void replace(void) {
    struct replaced_file file;
    ck_assert_int_eq(replaced_file_open(&file, fd), 0);
    ck_assert_int_eq(write(replaced_file_descriptor(&file), "after", 5), 5);
    ck_assert_int_eq(replaced_file_commit(&file), 0);
    ck_contents(path, "after");
}

START_TEST(another_file_with_the_same_rights) {
    struct stat before, after;
    ck_assert_int_eq(fchmod(fd, 0647), 0);
    ck_assert_int_eq(fstat(fd, &before), 0);
    replace();
    ck_assert_int_eq(stat(path, &after), 0);
    ck_assert_uint_ne(after.st_ino, before.st_ino);
    ck_assert_uint_eq(after.st_mode, before.st_mode);
    ck_assert_uint_eq(after.st_uid, before.st_uid);
}
END_TEST

START_TEST(the_same_file_where_it_has_two_names) {
    struct stat before, after;
    ck_assert_int_eq(link(path, other), 0);
    ck_assert_int_eq(fstat(fd, &before), 0);
    replace();
    ck_contents(other, "after");
    ck_assert_int_eq(stat(path, &after), 0);
    ck_assert_uint_eq(after.st_ino, before.st_ino);
}
END_TEST

START_TEST(abandoned_it_is_as_it_was) {
    struct replaced_file file;
    ck_assert_int_eq(replaced_file_open(&file, fd), 0);
    ck_assert_int_eq(write(replaced_file_descriptor(&file), "after", 5), 5);
    replaced_file_abandon(&file);
    ck_contents(path, "before, and longer");
}
END_TEST

START_TEST(a_directory_that_is_exchanged_does_not_matter) {
    struct replaced_file file;
    char moved[80], command[200];
    snprintf(moved, sizeof moved, "%s.moved", directory);
    ck_assert_int_eq(replaced_file_open(&file, fd), 0);
    ck_assert_int_eq(rename(directory, moved), 0);
    ck_assert_int_eq(symlink("/nowhere", directory), 0);
    ck_assert_int_eq(write(replaced_file_descriptor(&file), "after", 5), 5);
    ck_assert_int_eq(replaced_file_commit(&file), 0);
    ck_assert_int_eq(unlink(directory), 0);
    snprintf(command, sizeof command, "mv %s %s", moved, directory);
    ck_assert_int_eq(system(command), 0);
    ck_contents(path, "after");
}
END_TEST

START_TEST(a_file_without_a_name_is_refused) {
    struct replaced_file file;
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_lt(replaced_file_open(&file, fd), 0);
    ck_assert_int_eq(access(path, F_OK), -1);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("replaced_file");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, another_file_with_the_same_rights);
    tcase_add_test(tests, the_same_file_where_it_has_two_names);
    tcase_add_test(tests, abandoned_it_is_as_it_was);
    tcase_add_test(tests, a_directory_that_is_exchanged_does_not_matter);
    tcase_add_test(tests, a_file_without_a_name_is_refused);
    return check_run("replaced_file", tests);
}
