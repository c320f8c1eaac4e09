/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check_run.h"
#include "fake_process.h"
#include "process/watched.h"

static struct fake_process fake;
static struct watched watched;
static char name[32];

static const char *name_pid(pid_t pid) {
    snprintf(name, sizeof name, "%d", (int)pid);
    return name;
}

static uint32_t read_state(bool ended) {
    struct dump_reader *reader;
    ck_assert_int_eq(watched_read(&watched, ended, &reader), 0);
    uint32_t state = reader->state;
    dump_reader_close(reader);
    return state;
}

START_TEST(a_process_until_it_is_killed) {
    char note[64];
    fake_process_start(&fake, FAKE_OBEYS, true);
    ck_assert_int_eq(watched_open(&watched, name_pid(fake.pid)), 0);
    ck_assert_int_eq(watched.pid, fake.pid);
    ck_assert_ptr_null(watched_describe(&watched, note, sizeof note));
    ck_assert_uint_eq(read_state(false), TRACEMALLOC_DUMP_TRACING);
    fake_process_kill(&fake);
    ck_assert_uint_eq(read_state(false), DUMP_READER_KILLED);
    ck_assert_uint_eq(read_state(true), DUMP_READER_KILLED);
    watched_close(&watched);
    fake_process_remove(&fake);
}
END_TEST

START_TEST(the_child_of_the_process_named) {
    char note[64], expected[64];
    fake_process_start(&fake, FAKE_OBEYS, true);
    ck_assert_int_eq(watched_open(&watched, name_pid(getpid())), 0);
    ck_assert_int_eq(watched.pid, fake.pid);
    snprintf(expected, sizeof expected, "child of %d", (int)getpid());
    ck_assert_str_eq(watched_describe(&watched, note, sizeof note), expected);
    watched.parent.start++; /* as if another process had its number now */
    ck_assert_ptr_nonnull(
        strstr(watched_describe(&watched, note, sizeof note), "has ended"));
    watched_close(&watched);
    fake_process_end(&fake);
}
END_TEST

START_TEST(a_file) {
    fake_process_start(&fake, FAKE_OBEYS, true);
    ck_assert_int_eq(watched_open(&watched, fake.dump), 0);
    ck_assert_int_eq(watched.pid, 0);
    ck_assert_uint_eq(read_state(false), TRACEMALLOC_DUMP_TRACING);
    watched_close(&watched);
    fake_process_end(&fake);
}
END_TEST

START_TEST(what_cannot_be_watched) {
    fake_process_start(&fake, FAKE_OBEYS, false);
    ck_assert_int_eq(watched_open(&watched, name_pid(fake.pid)), 1);
    ck_assert_int_eq(watched_open(&watched, "/nonexistent"), 1);
    ck_assert_int_eq(watched_open(&watched, "/dev/null"), 1);
    ck_assert_int_eq(watched_open(&watched, "999999999"), 1);
    ck_assert_int_eq(watched_open(&watched, ""), 1);
    fake_process_end(&fake);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("watched");
    tcase_add_test(tests, a_process_until_it_is_killed);
    tcase_add_test(tests, the_child_of_the_process_named);
    tcase_add_test(tests, a_file);
    tcase_add_test(tests, what_cannot_be_watched);
    return check_run("watched", tests);
}
