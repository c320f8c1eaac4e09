/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check_run.h"
#include "output/output_file.h"

static char folder[] = "/tmp/test_output_file.XXXXXX";
static char path[64];
static struct copied_rights all_rights;

static void set_up(void) {
    strcpy(folder + sizeof folder - 7, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/out", folder);
    all_rights = (struct copied_rights){geteuid(), getegid(), 0666};
}

/* How many files are in the folder. */
static int count_files(void) {
    DIR *stream = opendir(folder);
    int count = 0;
    for (struct dirent *entry; (entry = readdir(stream)) != NULL;)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(stream);
    return count;
}

static void tear_down(void) {
    unlink(path);
    rmdir(folder);
}

static void write_output(const char *text) {
    struct output_file file;
    ck_assert_int_eq(output_file_open(&file, path, &all_rights), 0);
    fputs(text, file.stream);
    ck_assert_int_eq(output_file_commit(&file), 0);
}

START_TEST(a_file_appears_when_it_is_complete) {
    struct output_file file;
    struct stat status;
    umask(027);
    ck_assert_int_eq(output_file_open(&file, path, &all_rights), 0);
    fputs("text", file.stream);
    ck_assert_int_ne(access(path, F_OK), 0);
    ck_assert_int_eq(output_file_commit(&file), 0);
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_int_eq(status.st_size, 4);
    ck_assert_int_eq(status.st_mode & 0777, 0640);
    write_output("another");
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_int_eq(status.st_size, 7);
    ck_assert_int_eq(count_files(), 1);
}
END_TEST

static mode_t mode_with(struct copied_rights rights) {
    struct output_file file;
    struct stat status;
    umask(0);
    ck_assert_int_eq(output_file_open(&file, path, &rights), 0);
    ck_assert_int_eq(output_file_commit(&file), 0);
    ck_assert_int_eq(stat(path, &status), 0);
    return status.st_mode & 07777;
}

START_TEST(a_file_has_no_more_rights_than_what_it_is_made_of) {
    gid_t ours = getegid(), other = ours + 1;
    uid_t user = geteuid();
    ck_assert_int_eq(mode_with((struct copied_rights){user, ours, 0600}), 0600);
    ck_assert_int_eq(mode_with((struct copied_rights){user, ours, 0440}), 0640);
    ck_assert_int_eq(mode_with((struct copied_rights){user, ours, 0777}), 0666);
    ck_assert_int_eq(mode_with((struct copied_rights){user, other, 0640}), 0600);
    ck_assert_int_eq(mode_with((struct copied_rights){user, other, 0644}), 0644);
    ck_assert_int_eq(mode_with((struct copied_rights){user, other, 0664}), 0644);
}
END_TEST

START_TEST(an_abandoned_file_leaves_nothing) {
    struct output_file file;
    ck_assert_int_eq(output_file_open(&file, path, &all_rights), 0);
    fputs("text", file.stream);
    output_file_abandon(&file);
    ck_assert_int_eq(count_files(), 0);
}
END_TEST

START_TEST(a_signal_leaves_nothing) {
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        pid_t child = fork();
        if (child == 0) {
            struct output_file file;
            /* Who started the tests in the background ignores some. */
            signal(signals[i], SIG_DFL);
            ck_assert_int_eq(output_file_open(&file, path, &all_rights), 0);
            raise(signals[i]);
            _exit(0);
        }
        int status;
        waitpid(child, &status, 0);
        ck_assert(WIFSIGNALED(status));
        ck_assert_int_eq(WTERMSIG(status), signals[i]);
        ck_assert_int_eq(count_files(), 0);
    }
}
END_TEST

START_TEST(errors_are_told_and_leave_nothing) {
    struct output_file file;
    ck_assert_int_eq(output_file_open(&file, "/nowhere/at/all", &all_rights), -ENOENT);
    ck_assert_int_eq(output_file_open(&file, folder, &all_rights), -EISDIR);
    struct rlimit limit = {100, 100};
    ck_assert_int_eq(output_file_open(&file, path, &all_rights), 0);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    for (int i = 0; i < 1000000; i++)
        fputc('x', file.stream);
    ck_assert_int_lt(output_file_commit(&file), 0);
    ck_assert_int_eq(count_files(), 0);
}
END_TEST

START_TEST(a_device_stays_a_device) {
    struct output_file file;
    struct stat status;
    ck_assert_int_eq(output_file_open(&file, "/dev/null", &all_rights), 0);
    fputs("text", file.stream);
    ck_assert_int_eq(output_file_commit(&file), 0);
    ck_assert_int_eq(stat("/dev/null", &status), 0);
    ck_assert(S_ISCHR(status.st_mode));
}
END_TEST

/* In a child, whose standard output may be lost. */
START_TEST(the_standard_output_is_not_replaced) {
    FILE *stream = freopen(path, "w", stdout);
    ck_assert_ptr_nonnull(stream);
    fputs("before ", stdout);
    fflush(stdout);
    write_output("text");
    char text[20] = "";
    FILE *written = fopen(path, "r");
    ck_assert_ptr_nonnull(fgets(text, sizeof text, written));
    fclose(written);
    ck_assert_str_eq(text, "before text");
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("output_file");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_file_appears_when_it_is_complete);
    tcase_add_test(tests, a_file_has_no_more_rights_than_what_it_is_made_of);
    tcase_add_test(tests, an_abandoned_file_leaves_nothing);
    tcase_add_test(tests, a_signal_leaves_nothing);
    tcase_add_test(tests, errors_are_told_and_leave_nothing);
    tcase_add_test(tests, a_device_stays_a_device);
    tcase_add_test(tests, the_standard_output_is_not_replaced);
    return check_run("output_file", tests);
}
