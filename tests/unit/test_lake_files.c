/* SPDX-License-Identifier: MIT */
#include "export/lake_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "suite.h"

static char root[64];
static struct lake_files files;

static void begin(void) {
    strcpy(root, "/tmp/lake-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
    strcat(root, "/new");
}

static void end(void) {
    char command[128];
    lake_files_close(&files);
    snprintf(command, sizeof command, "rm -rf '%.*s'", (int)strlen("/tmp/lake-XXXXXX"),
             root);
    ck_assert_int_eq(system(command), 0);
}

static void add(const char *table, const char *service) {
    struct lake_partition partition = {"2026-11-28", strdup(service)};
    const char *path = lake_files_add(&files, table, &partition, "x");
    ck_assert_ptr_nonnull(path);
    int fd = open(path, O_CREAT | O_WRONLY | O_EXCL | O_CLOEXEC, 0666);
    ck_assert_int_ge(fd, 0);
    close(fd);
    free(partition.service);
}

static bool exists(const char *name, struct stat *status) {
    char path[256];
    snprintf(path, sizeof path, "%s%s", root, name);
    return stat(path, status) == 0;
}

START_TEST(a_commit_gives_names_and_rights) {
    const struct copied_rights rights = {geteuid(), getegid(), 0640};
    struct stat status;
    begin();
    ck_assert_int_eq(lake_files_open(&files, root), 0);
    add("samples", "a/b %");
    add("samples", "plain-1.2_3");
    ck_assert_int_eq(lake_files_commit(&files, &rights), 0);
    ck_assert(
        exists("/samples/day=2026-11-28/service=a%2Fb%20%25/part-x.parquet", &status));
    ck_assert_uint_eq(status.st_mode & 07777 & ~0640u, 0);
    ck_assert(
        exists("/samples/day=2026-11-28/service=plain-1.2_3/part-x.parquet", &status));
    end();
}
END_TEST

START_TEST(nothing_is_left_without_a_commit) {
    struct stat status;
    begin();
    ck_assert_int_eq(lake_files_open(&files, root), 0);
    add("samples", "a");
    ck_assert(exists("", &status));
    lake_files_close(&files);
    ck_assert(!exists("", &status));
    end();
}
END_TEST

START_TEST(a_directory_of_others_stays) {
    struct stat status;
    begin();
    ck_assert_int_eq(mkdir(root, 0700), 0);
    ck_assert_int_eq(lake_files_open(&files, root), 0);
    lake_files_close(&files);
    ck_assert(exists("", &status));
    ck_assert_int_eq(rmdir(root), 0);
    end();
}
END_TEST

START_TEST(a_file_is_no_directory) {
    begin();
    int fd = open(root, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    close(fd);
    ck_assert_int_eq(lake_files_open(&files, root), -ENOTDIR);
    end();
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        a_commit_gives_names_and_rights,
        nothing_is_left_without_a_commit,
        a_directory_of_others_stays,
        a_file_is_no_directory,
    };
    return suite_run("lake_files", tests, sizeof tests / sizeof *tests);
}
