/* SPDX-License-Identifier: MIT */
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "suite.h"

static char path[] = "/tmp/test_io.XXXXXX";

static int new_file(void) {
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    unlink(path);
    return fd;
}

START_TEST(data_goes_to_its_offset) {
    char text[16] = "";
    int fd = new_file();
    ck_assert_int_eq(io_write_all(fd, "world", 5, 6), 0);
    ck_assert_int_eq(io_write_all(fd, "hello ", 6, 0), 0);
    ck_assert_int_eq(io_write_all(fd, "unused", 0, 100), 0);
    ck_assert_int_eq(pread(fd, text, sizeof text, 0), 11);
    ck_assert_str_eq(text, "hello world");
}
END_TEST

START_TEST(errors_are_returned_and_errno_stays) {
    int full = open("/dev/full", O_WRONLY), read_only = open("/dev/null", O_RDONLY);
    errno = EXDEV;
    ck_assert_int_eq(io_write_all(full, "text", 4, 0), -ENOSPC);
    ck_assert_int_eq(io_write_all(read_only, "text", 4, 0), -EBADF);
    ck_assert_int_eq(io_write_all(-1, "text", 4, 0), -EBADF);
    ck_assert_int_eq(errno, EXDEV);
}
END_TEST

START_TEST(a_file_is_read_as_a_string) {
    char text[64];
    ck_assert_int_eq(io_read_file("/proc/self/comm", text, sizeof text),
                     (int)strlen(text));
    ck_assert_uint_gt(strlen(text), 0);
    ck_assert_int_eq(io_read_file("/proc/self/comm", text, 3), 2);
    ck_assert_uint_eq(strlen(text), 2);
    ck_assert_int_eq(io_read_file("/dev/null", text, sizeof text), 0);
    ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(files_that_cannot_be_read) {
    char text[64];
    errno = EXDEV;
    ck_assert_int_eq(io_read_file("/proc/self/nothing", text, sizeof text), -ENOENT);
    ck_assert_int_eq(io_read_file("/proc", text, sizeof text), -EISDIR);
    ck_assert_int_eq(errno, EXDEV);
}
END_TEST

/* Another name may have become a FIFO's: neither opening nor reading it waits. */
START_TEST(a_fifo_is_not_waited_for) {
    char text[16];
    close(mkstemp(path));
    unlink(path);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    alarm(10);
    ck_assert_int_eq(io_read_file(path, text, sizeof text), 0);
    int writer = open(path, O_RDWR);
    ck_assert_int_eq(io_read_file(path, text, sizeof text), -EAGAIN);
    ck_assert_int_eq(write(writer, "late", 4), 4);
    ck_assert_int_eq(io_read_file(path, text, sizeof text), -EAGAIN);
    alarm(0);
    close(writer);
    unlink(path);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {data_goes_to_its_offset,
                                  errors_are_returned_and_errno_stays,
                                  a_file_is_read_as_a_string, files_that_cannot_be_read,
                                  a_fifo_is_not_waited_for};
    return suite_run("io", tests, sizeof tests / sizeof *tests);
}
