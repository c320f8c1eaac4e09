/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check_run.h"
#include "fake_process.h"
#include "process/run_dumps.h"

static char folder[64];

static void begin(void) {
    strcpy(folder, "/tmp/run[dumps-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
    setenv("TMPDIR", "/nonexistent", 1);
}

static void end(void) {
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    ck_assert_int_eq(system(command), 0);
}

static void make(const char *name, uint32_t pid, uint64_t run_id, uint32_t state) {
    static uint64_t time = 1000;
    struct tracemalloc_dump_header header = {
        .byte_order = TRACEMALLOC_DUMP_BYTE_ORDER,
        .version = TRACEMALLOC_DUMP_VERSION,
        .pid = pid,
        .run_id = run_id,
        .state = state,
        .start_time = time++,
        .oom_killed = -1,
        .python_bytes = 99,
    };
    memcpy(header.magic, TRACEMALLOC_DUMP_MAGIC, sizeof header.magic);
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);
    ck_assert_int_eq(write(fd, &header, sizeof header), sizeof header);
    close(fd);
}

static void find(struct run_dumps *dumps, const char *name, uint64_t run_id) {
    char pattern[128];
    snprintf(pattern, sizeof pattern, "%s/%s", folder, name);
    ck_assert_int_eq(run_dumps_find(dumps, pattern, run_id), 0);
}

START_TEST(found_by_name_and_id) {
    struct run_dumps dumps;
    char line[4096];
    begin();
    make("app.12.x%.dump", 12, 7, TRACEMALLOC_DUMP_EXITED);
    make("app.12.x%.dump.1", 12, 7, TRACEMALLOC_DUMP_EXITED);
    make("app.13.x%.dump", 13, 7, TRACEMALLOC_DUMP_EXITED);
    make("app.14.x%.dump", 14, 8, TRACEMALLOC_DUMP_EXITED);
    make("other.12.dump", 12, 7, TRACEMALLOC_DUMP_EXITED);
    ck_assert_int_eq(mkfifo("app.15.x%.dump", 0600), 0);
    ck_assert_int_eq(symlink("other.12.dump", "app.16.x%.dump"), 0);
    ck_assert_int_eq(mkdir("app.17.x%.dump", 0700), 0);
    find(&dumps, "app.%p.%c%%.dump", 7);
    run_dumps_list(&dumps.own, line, sizeof line);
    ck_assert_str_eq(line, "app.12.x%.dump, app.12.x%.dump.1, app.13.x%.dump");
    run_dumps_free(&dumps);
    find(&dumps, "%h", 7);
    run_dumps_list(&dumps.own, line, sizeof line);
    ck_assert_str_eq(line,
                     "app.12.x%.dump, app.12.x%.dump.1, app.13.x%.dump and 1 more");
    run_dumps_free(&dumps);
    end();
}
END_TEST

START_TEST(found_where_the_library_falls_back_to) {
    struct run_dumps dumps;
    char line[4096];
    begin();
    setenv("TMPDIR", folder, 1);
    make("a.1", 1, 7, TRACEMALLOC_DUMP_EXITED);
    ck_assert_int_eq(run_dumps_find(&dumps, "/nonexistent/folder/a.%p", 7), 0);
    run_dumps_list(&dumps.own, line, sizeof line);
    ck_assert_str_eq(line, "a.1");
    run_dumps_free(&dumps);
    end();
}
END_TEST

static void make_copy(const char *name, uint32_t percent, uint64_t time) {
    struct tracemalloc_dump_header header;
    make(name, 12, 7, TRACEMALLOC_DUMP_SNAPSHOT);
    int fd = open(name, O_RDWR);
    ck_assert_int_eq(pread(fd, &header, sizeof header, 0), sizeof header);
    header.start_time = 10;
    header.end_time = time;
    header.reached_percent = percent;
    ck_assert_int_eq(pwrite(fd, &header, sizeof header, 0), sizeof header);
    close(fd);
}

START_TEST(copies_of_a_process_are_found_apart) {
    struct run_dumps dumps;
    char line[4096];
    begin();
    make("app.12", 12, 7, TRACEMALLOC_DUMP_EXITED);
    make_copy("app.12.at-95", 95, 30);
    make_copy("app.12.at-80", 80, 20);
    make_copy("app.12.1.at-80", 80, 40);
    make_copy("app.12.at-70", 0, 50); /* the user's own */
    find(&dumps, "app.%p", 7);
    run_dumps_list(&dumps.own, line, sizeof line);
    ck_assert_str_eq(line, "app.12");
    run_dumps_list(&dumps.copies, line, sizeof line);
    ck_assert_str_eq(line, "app.12.at-80, app.12.at-95, app.12.1.at-80");
    run_dumps_free(&dumps);
    end();
}
END_TEST

/* `dead` is no process: the numbers end before. */
enum { child = 4194400, dead = 4194401 };

static void finish(int wait_status, int oom_killed) {
    struct run_dumps dumps;
    struct run_end how = {child, wait_status, oom_killed};
    find(&dumps, "%p", 7);
    run_dumps_finish(&dumps, &how);
    run_dumps_free(&dumps);
}

START_TEST(a_death_by_a_signal_is_written) {
    begin();
    make("1", child, 7, TRACEMALLOC_DUMP_EXEC);
    make("2", child, 7, TRACEMALLOC_DUMP_TRACING);
    make("3", dead, 7, TRACEMALLOC_DUMP_TRACING);
    make("4", child, 8, TRACEMALLOC_DUMP_TRACING);
    finish(SIGTERM, 0);
    struct tracemalloc_dump_header header = fake_process_header("2");
    ck_assert_int_eq(header.state, TRACEMALLOC_DUMP_SIGNAL);
    ck_assert_int_eq(header.signal, SIGTERM);
    ck_assert_int_eq(header.oom_killed, 0);
    ck_assert_uint_gt(header.end_time, 0);
    ck_assert_uint_eq(header.python_bytes, 99);
    ck_assert_int_eq(fake_process_header("1").state, TRACEMALLOC_DUMP_EXEC);
    ck_assert_int_eq(fake_process_header("3").state, TRACEMALLOC_DUMP_TRACING);
    ck_assert_int_eq(fake_process_header("3").oom_killed, 0);
    ck_assert_int_eq(fake_process_header("4").state, TRACEMALLOC_DUMP_TRACING);
    ck_assert_int_eq(fake_process_header("4").oom_killed, -1);
    end();
}
END_TEST

START_TEST(the_oom_killer_is_named_where_it_is_known) {
    begin();
    make("2", child, 7, TRACEMALLOC_DUMP_TRACING);
    finish(SIGKILL, 1);
    ck_assert_int_eq(fake_process_header("2").oom_killed, 1);
    make("3", child, 7, TRACEMALLOC_DUMP_TRACING);
    make("4", dead, 7, TRACEMALLOC_DUMP_TRACING);
    finish(SIGKILL, 1);
    ck_assert_int_eq(fake_process_header("4").oom_killed, -1);
    finish(0, 1);
    ck_assert_int_eq(fake_process_header("4").oom_killed, 1);
    make("5", child, 7, TRACEMALLOC_DUMP_TRACING);
    finish(SIGKILL, -1);
    ck_assert_int_eq(fake_process_header("5").oom_killed, -1);
    end();
}
END_TEST

START_TEST(an_exit_that_the_library_did_not_see) {
    begin();
    make("2", child, 7, TRACEMALLOC_DUMP_TRACING);
    finish(3 << 8, 0);
    ck_assert_int_eq(fake_process_header("2").state, TRACEMALLOC_DUMP_EXITED);
    ck_assert_int_eq(fake_process_header("2").exit_status, 3);
    end();
}
END_TEST

START_TEST(a_process_that_goes_on_is_left_alone) {
    struct fake_process fake;
    struct run_dumps dumps;
    struct run_end how = {child, SIGKILL, 1};
    fake_process_start(&fake, FAKE_OBEYS, true);
    ck_assert_int_eq(run_dumps_find(&dumps, fake.dump, FAKE_RUN_ID), 0);
    ck_assert_uint_eq(dumps.own.count, 1);
    run_dumps_finish(&dumps, &how);
    ck_assert_int_eq(fake_process_header(fake.dump).oom_killed, -1);
    run_dumps_free(&dumps);
    fake_process_kill(&fake);
    ck_assert_int_eq(run_dumps_find(&dumps, fake.dump, FAKE_RUN_ID), 0);
    run_dumps_finish(&dumps, &how);
    ck_assert_int_eq(fake_process_header(fake.dump).oom_killed, 1);
    run_dumps_free(&dumps);
    fake_process_remove(&fake);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("run_dumps");
    tcase_add_test(tests, found_by_name_and_id);
    tcase_add_test(tests, found_where_the_library_falls_back_to);
    tcase_add_test(tests, copies_of_a_process_are_found_apart);
    tcase_add_test(tests, a_death_by_a_signal_is_written);
    tcase_add_test(tests, the_oom_killer_is_named_where_it_is_known);
    tcase_add_test(tests, an_exit_that_the_library_did_not_see);
    tcase_add_test(tests, a_process_that_goes_on_is_left_alone);
    return check_run("run_dumps", tests);
}
