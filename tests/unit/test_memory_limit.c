/* SPDX-License-Identifier: MIT */
#include "trace/memory_limit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "suite.h"
#include "tracemalloc_dump.h"

static char mount_point[] = "/tmp/memory_limit.XXXXXX";

static void write_limit(const char *group, const char *text) {
    char path[256];
    snprintf(path, sizeof path, "%s%s", mount_point, group);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s%s/memory.max", mount_point, group);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static uint64_t limit_of(const char *group) {
    return memory_limit_of_group(mount_point, group, "memory.max");
}

static void remove_all(void) {
    char command[300];
    snprintf(command, sizeof command, "rm -r %s", mount_point);
    ck_assert_int_eq(system(command), 0);
}

START_TEST(the_least_of_a_group_and_those_around_it) {
    ck_assert_ptr_nonnull(mkdtemp(mount_point));
    write_limit("", "max\n");
    write_limit("/outer", "1000000\n");
    write_limit("/outer/inner", "9223372036854771712\n");
    write_limit("/outer/inner/own", "2000000\n");
    ck_assert_uint_eq(limit_of("/outer/inner/own"), 1000000);
    ck_assert_uint_eq(limit_of("/outer"), 1000000);
    ck_assert_uint_eq(limit_of("/"), 0);
    ck_assert_uint_eq(limit_of("/absent"), 0);
    write_limit("", "500000\n"); /* a container's mount is its own group */
    ck_assert_uint_eq(limit_of("/docker/abc"), 500000);
    remove_all();
}
END_TEST

START_TEST(a_resource_limit_counts) {
    struct rlimit limit = {(rlim_t)200 << 20, RLIM_INFINITY};
    memory_limit_open();
    struct memory_limit before = memory_limit_read(1 << 20);
    ck_assert_uint_ne(before.source, TRACEMALLOC_DUMP_LIMIT_AS);
    ck_assert_uint_gt(before.bytes, 0); /* at least the machine's memory */
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
    memory_limit_open();
    struct memory_limit after = memory_limit_read(1 << 20);
    ck_assert_uint_eq(after.source, TRACEMALLOC_DUMP_LIMIT_AS);
    ck_assert_uint_eq(after.bytes, (uint64_t)200 << 20);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        the_least_of_a_group_and_those_around_it,
        a_resource_limit_counts,
    };
    return suite_run("memory_limit", tests, sizeof tests / sizeof *tests);
}
