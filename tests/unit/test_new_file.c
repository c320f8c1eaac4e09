/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check_run.h"
#include "output/new_file.h"

static char folder[] = "/tmp/new_file.XXXXXX";
static char path[NEW_FILE_PATH_SIZE];

static void set_up(void) {
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
    strcpy(path, "a.dump");
}

static void tear_down(void) {
    static const char *const names[] = {"a.dump", "a.dump.1", "a.dump.2"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(names[i]);
    ck_assert_int_eq(rmdir(folder), 0);
}

static int put(void *input, int fd) {
    size_t length = strlen(input);
    return write(fd, input, length) == (ssize_t)length ? 0 : -EIO;
}

static int put_and_fail(void *input, int fd) {
    ck_assert_int_eq(put(input, fd), 0);
    return -EFBIG;
}

static int put_and_be_ended(void *input, int fd) {
    raise(SIGTERM);
    return put(input, fd);
}

static int write_new(const char *name, const char *text) {
    return new_file_write(name, put, (void *)text);
}

static void ck_content(const char *name, const char *expected) {
    char text[40] = "";
    FILE *file = fopen(name, "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fread(text, 1, sizeof text - 1, file), strlen(expected));
    fclose(file);
    ck_assert_str_eq(text, expected);
}

START_TEST(a_file_is_its_owners) {
    struct stat status;
    umask(0);
    ck_assert_int_eq(write_new(path, "first"), 0);
    ck_content(path, "first");
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_uint_eq(status.st_mode & 0777, 0600);
}
END_TEST

START_TEST(what_exists_is_not_touched) {
    ck_assert_int_eq(write_new(path, "first"), 0);
    ck_assert_int_eq(write_new(path, "second"), -EEXIST);
    ck_content(path, "first");
    ck_assert_int_eq(symlink("a.dump.2", "a.dump.1"), 0);
    ck_assert_int_eq(write_new("a.dump.1", "third"), -EEXIST);
    ck_assert_int_ne(access("a.dump.2", F_OK), 0);
}
END_TEST

START_TEST(the_next_free_name_is_taken) {
    static const char *const expected[] = {"a.dump", "a.dump.1", "a.dump.2"};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        strcpy(path, "a.dump");
        ck_assert_int_eq(new_file_write_next(path, put, (void *)expected[i]), 0);
        ck_assert_str_eq(path, expected[i]);
        ck_content(path, expected[i]);
    }
}
END_TEST

START_TEST(nothing_is_left_of_a_failure) {
    char text[] = "half";
    ck_assert_int_eq(new_file_write(path, put_and_fail, text), -EFBIG);
    ck_assert_int_ne(access(path, F_OK), 0);
    ck_assert_int_eq(write_new("no/such", ""), -ENOENT);
    ck_assert_int_eq(new_file_write_next(path, put_and_fail, text), -EFBIG);
    ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

START_TEST(a_signal_waits_until_the_file_is_whole) {
    char text[] = "whole";
    int status;
    pid_t child = fork();
    if (child == 0) {
        signal(SIGTERM, SIG_DFL); /* Check has a handler */
        _exit(new_file_write(path, put_and_be_ended, text));
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    ck_content(path, "whole");
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("new_file");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_file_is_its_owners);
    tcase_add_test(tests, what_exists_is_not_touched);
    tcase_add_test(tests, the_next_free_name_is_taken);
    tcase_add_test(tests, nothing_is_left_of_a_failure);
    tcase_add_test(tests, a_signal_waits_until_the_file_is_whole);
    return check_run("new_file", tests);
}
