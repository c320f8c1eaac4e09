/* SPDX-License-Identifier: MIT */
#include "dump/dump_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dump/dump_file.h"
#include "suite.h"

enum { STRINGS = TRACEMALLOC_DUMP_STRINGS, MIB = 1 << 20, LENGTH = 5 * MIB + 77 };

static struct dump_file file;
static char folder[] = "/tmp/test_dump_copy.XXXXXX";

static void fill(void) {
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
    ck_assert_int_eq(dump_file_open(&file, 64 * MIB), 0);
    ck_assert_int_eq(dump_file_reserve(&file, STRINGS, LENGTH), 0);
    for (size_t i = 0; i < LENGTH; i++)
        file.base[STRINGS][i] = (unsigned char)(i * 7 >> 3);
    dump_file_publish(&file, STRINGS, LENGTH);
    file.header->pid = 4321;
}

static void leave(void) {
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_int_eq(system(command), 0);
}

static void ck_copy(const char *path, uint32_t percent) {
    static struct tracemalloc_dump_header header;
    static unsigned char bytes[LENGTH];
    int fd = open(path, O_RDONLY);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pread(fd, &header, sizeof header, 0), sizeof header);
    ck_assert_uint_eq(header.state, TRACEMALLOC_DUMP_SNAPSHOT);
    ck_assert_uint_eq(header.pid, 4321);
    ck_assert_uint_eq(header.end_time, 99);
    ck_assert_uint_eq(header.reached_percent, percent);
    const struct tracemalloc_dump_section *strings = &header.sections[STRINGS];
    ck_assert_uint_eq(strings->count, LENGTH);
    ck_assert_uint_eq(strings->extent_count, 1);
    ck_assert_int_eq(pread(fd, bytes, LENGTH, (off_t)strings->extents[0].offset),
                     LENGTH);
    ck_assert_mem_eq(bytes, file.base[STRINGS], LENGTH);
    close(fd);
}

START_TEST(a_copy_has_all_sections) {
    const struct dump_copy copy = {.end_time = 99};
    fill();
    ck_assert_int_eq(dump_copy_to(&file, "one", &copy), 0);
    ck_copy("one", 0);
    ck_assert_int_eq(dump_copy_to(&file, "one", &copy), -EEXIST);
    ck_copy("one", 0);
    leave();
}
END_TEST

START_TEST(a_name_that_is_taken_gets_a_suffix) {
    const struct dump_copy copy = {
        .end_time = 99, .reached_percent = 80, .spares_memory = true};
    char path[PATH_MAX], expected[PATH_MAX];
    fill();
    ck_assert_int_eq(dump_copy_to_free_name(&file, "two", &copy, UINT64_MAX, path), 0);
    ck_assert_int_eq(dump_copy_to_free_name(&file, "two", &copy, UINT64_MAX, path), 0);
    snprintf(expected, sizeof expected, "%s/two.1", folder);
    ck_assert_str_eq(path, expected);
    ck_copy("two", 80);
    ck_copy("two.1", 80);
    leave();
}
END_TEST

START_TEST(a_copy_that_fails_leaves_no_file) {
    const struct dump_copy copy = {.end_time = 99, .spares_memory = true};
    char path[PATH_MAX];
    fill();
    file.max_size = 2 * MIB;
    ck_assert_int_eq(dump_copy_to_free_name(&file, "three", &copy, UINT64_MAX, path),
                     -EFBIG);
    ck_assert_int_eq(dump_copy_to(&file, "three", &copy), -EFBIG);
    ck_assert_int_ne(access("three", F_OK), 0);
    leave();
}
END_TEST

/* /dev/shm is in memory wherever there is one. */
START_TEST(a_file_in_memory_needs_room) {
    const struct dump_copy copy = {.end_time = 99, .spares_memory = true};
    char path[PATH_MAX], name[64];
    if (access("/dev/shm", W_OK) != 0) {
        suite_skip("no /dev/shm");
        return;
    }
    fill();
    snprintf(name, sizeof name, "/dev/shm/test_dump_copy.%d", (int)getpid());
    ck_assert_int_eq(dump_copy_to_free_name(&file, name, &copy, LENGTH, path), -ENOMEM);
    ck_assert_int_ne(access(name, F_OK), 0);
    ck_assert_int_eq(dump_copy_to_free_name(&file, name, &copy, 8 * MIB, path), 0);
    ck_copy(name, 0);
    unlink(name);
    leave();
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        a_copy_has_all_sections,
        a_name_that_is_taken_gets_a_suffix,
        a_copy_that_fails_leaves_no_file,
        a_file_in_memory_needs_room,
    };
    return suite_run("dump_copy", tests, sizeof tests / sizeof *tests);
}
