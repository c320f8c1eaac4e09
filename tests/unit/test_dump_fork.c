/* SPDX-License-Identifier: MIT */
#include "dump/dump_fork.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/sys.h"
#include "dump/dump_file.h"
#include "suite.h"

enum { STRINGS = TRACEMALLOC_DUMP_STRINGS, MIB = 1 << 20, FAILED = 99 };

static struct dump_file file;
static char directory[] = "/tmp/test_dump_fork.XXXXXX";
static int to_child[2], to_parent[2];

static void open_dump(void) {
    static const char *const nowhere[] = {NULL};
    struct dump_file_place place;
    ck_assert_ptr_nonnull(mkdtemp(directory));
    ck_assert_int_eq(chdir(directory), 0);
    ck_assert_int_eq(pipe(to_child), 0);
    ck_assert_int_eq(pipe(to_parent), 0);
    ck_assert_int_eq(dump_file_open(&file, 64 * MIB), 0);
    ck_assert_int_eq(dump_file_attach(&file, "parent.dump", nowhere, &place), 0);
}

static void leave(void) {
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", directory);
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_int_eq(system(command), 0);
}

/* Strings of this many bytes, each of this value; and the header says so. */
static int fill(unsigned char value, uint64_t count) {
    int status = dump_file_reserve(&file, STRINGS, count);
    if (status < 0)
        return status;
    memset(file.base[STRINGS], value, count);
    file.header->python_bytes = value;
    dump_file_publish(&file, STRINGS, count);
    return 0;
}

/* The rest of what is mapped is zero, as what is added next expects. */
static bool is_filled(unsigned char value, uint64_t count) {
    bool right = file.header->python_bytes == value &&
                 file.header->sections[STRINGS].count == count;
    for (uint64_t at = 0; at < file.mapped[STRINGS] && right; at++)
        right = file.base[STRINGS][at] == (at < count ? value : 0);
    return right;
}

static pid_t fork_dump(void) {
    ck_assert_int_eq(dump_fork_before(&file), 0);
    pid_t child = fork();
    if (child != 0)
        dump_fork_in_parent(&file);
    else if (dump_fork_in_child(&file) != 0)
        _exit(FAILED);
    return child;
}

static void expect_success(pid_t child) {
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}

static void say(const int *ends) {
    if (write(ends[1], "", 1) != 1)
        _exit(FAILED);
}

static void hear(const int *ends) {
    char byte;
    if (read(ends[0], &byte, 1) != 1)
        _exit(FAILED);
}

static void fork_and_end(void) {
    pid_t child = fork_dump();
    if (child == 0)
        _exit(0);
    expect_success(child);
}

START_TEST(a_child_has_the_dump_as_it_was) {
    open_dump();
    ck_assert_int_eq(fill(1, 60000), 0);
    pid_t child = fork_dump();
    if (child == 0) {
        hear(to_child);
        _exit(file.attached || !is_filled(1, 60000) || fill(3, 400000) != 0 ||
              !is_filled(3, 400000));
    }
    ck_assert_int_eq(fill(2, 200000), 0);
    say(to_child);
    expect_success(child);
    ck_assert(is_filled(2, 200000));
    leave();
}
END_TEST

START_TEST(the_pages_of_a_child_that_ended_serve_the_next) {
    open_dump();
    ck_assert_int_eq(fill(1, 50000), 0);
    fork_and_end();
    const unsigned char *image = file.fork.image;
    ck_assert_ptr_nonnull(image);
    for (unsigned char value = 2; value < 9; value++) {
        ck_assert_int_eq(fill(value, 50000 + value), 0);
        pid_t child = fork_dump();
        if (child == 0)
            _exit(!is_filled(value, 50000 + value));
        ck_assert_ptr_eq(file.fork.image, image);
        expect_success(child);
    }
    leave();
}
END_TEST

/* The fourth child's fork is the first after the third's end. */
START_TEST(a_child_that_lives_keeps_its_dump) {
    pid_t children[3];
    open_dump();
    for (unsigned char at = 0; at < 3; at++) {
        ck_assert_int_eq(fill((unsigned char)(at + 1), 50000), 0);
        children[at] = fork_dump();
        if (children[at] == 0) {
            hear(to_child);
            _exit(!is_filled((unsigned char)(at + 1), 50000));
        }
    }
    for (unsigned char value = 7; value < 12; value++) {
        ck_assert_int_eq(fill(value, 50000), 0);
        fork_and_end();
    }
    for (unsigned at = 0; at < 3; at++)
        say(to_child);
    for (unsigned at = 0; at < 3; at++)
        expect_success(children[at]);
    leave();
}
END_TEST

START_TEST(a_child_with_a_file_gives_the_pages_back) {
    static const char *const nowhere[] = {NULL};
    struct dump_file_place place;
    open_dump();
    ck_assert_int_eq(fill(1, 50000), 0);
    pid_t child = fork_dump();
    if (child == 0) {
        if (dump_file_attach(&file, "child.dump", nowhere, &place) != 0)
            _exit(FAILED);
        say(to_parent);
        hear(to_child);
        _exit(!is_filled(1, 50000));
    }
    const unsigned char *image = file.fork.image;
    hear(to_parent);
    ck_assert_int_eq(fill(2, 50000), 0);
    fork_and_end();
    ck_assert_ptr_eq(file.fork.image, image);
    say(to_child);
    expect_success(child);
    leave();
}
END_TEST

START_TEST(the_child_of_a_child_without_a_file_has_its_own) {
    open_dump();
    ck_assert_int_eq(fill(1, 50000), 0);
    pid_t child = fork_dump();
    if (child == 0) {
        file.header->python_bytes = 1;
        if (fork_dump() != 0)
            _exit(0);
        hear(to_child);
        say(is_filled(1, 50000) ? to_parent : to_child);
        _exit(0);
    }
    expect_success(child);
    for (unsigned char value = 2; value < 6; value++) {
        ck_assert_int_eq(fill(value, 50000), 0);
        fork_and_end();
    }
    say(to_child);
    close(to_parent[1]);
    hear(to_parent);
    leave();
}
END_TEST

START_TEST(fewer_entries_than_before_leave_nothing_behind) {
    open_dump();
    ck_assert_int_eq(fill(1, 60000), 0);
    fork_and_end();
    memset(file.base[STRINGS], 0, 60000);
    ck_assert_int_eq(fill(2, 100), 0);
    pid_t child = fork_dump();
    if (child == 0)
        _exit(!is_filled(2, 100));
    expect_success(child);
    leave();
}
END_TEST

START_TEST(a_large_dump_is_not_kept_twice) {
    open_dump();
    ck_assert_int_eq(fill(1, DUMP_FORK_MAX_KEPT), 0);
    pid_t child = fork_dump();
    if (child == 0) {
        hear(to_child);
        _exit(!is_filled(1, DUMP_FORK_MAX_KEPT));
    }
    ck_assert_ptr_null(file.fork.image);
    ck_assert_int_eq(fill(2, DUMP_FORK_MAX_KEPT), 0);
    say(to_child);
    expect_success(child);
    leave();
}
END_TEST

static void expect_a_right_child(void) {
    for (unsigned char value = 1; value < 4; value++) {
        ck_assert_int_eq(fill(value, 50000), 0);
        pid_t child = fork_dump();
        if (child == 0)
            _exit(!is_filled(value, 50000));
        expect_success(child);
    }
}

START_TEST(without_a_file_in_memory_it_is_private) {
    struct rlimit limit;
    open_dump();
    ck_assert_int_eq(fill(1, 50000), 0);
    sys_confined = true;
    expect_a_right_child();
    ck_assert_ptr_null(file.fork.image);
    sys_confined = false;
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = 65536;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    expect_a_right_child();
    ck_assert_ptr_null(file.fork.image);
    leave();
}
END_TEST

/* What is locked in memory is touched at once. */
START_TEST(locked_memory_is_no_older) {
    open_dump();
    if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0) {
        suite_skip("memory cannot be locked");
        leave();
        return;
    }
    expect_a_right_child();
    leave();
}
END_TEST

START_TEST(closing_gives_the_image_back) {
    open_dump();
    ck_assert_int_eq(fill(1, 50000), 0);
    fork_and_end();
    unsigned char *image = file.fork.image;
    ck_assert_ptr_nonnull(image);
    dump_file_close(&file);
    ck_assert_ptr_null(file.fork.image);
    ck_assert_int_eq(sys_madvise(image, 4096, MADV_NORMAL), -ENOMEM);
    leave();
}
END_TEST

START_TEST(a_dump_in_memory_needs_no_copy) {
    ck_assert_int_eq(dump_file_open(&file, MIB), 0);
    ck_assert_int_eq(fill(1, 60000), 0);
    pid_t child = fork_dump();
    if (child == 0)
        _exit(!is_filled(1, 60000));
    ck_assert_ptr_null(file.fork.image);
    expect_success(child);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        a_child_has_the_dump_as_it_was,
        the_pages_of_a_child_that_ended_serve_the_next,
        a_child_that_lives_keeps_its_dump,
        a_child_with_a_file_gives_the_pages_back,
        the_child_of_a_child_without_a_file_has_its_own,
        fewer_entries_than_before_leave_nothing_behind,
        a_large_dump_is_not_kept_twice,
        without_a_file_in_memory_it_is_private,
        locked_memory_is_no_older,
        closing_gives_the_image_back,
        a_dump_in_memory_needs_no_copy,
    };
    return suite_run("dump_fork", tests, sizeof tests / sizeof *tests);
}
