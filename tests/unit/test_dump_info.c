/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <string.h>

#include "check_run.h"
#include "opened_dump.h"
#include "show/dump_info.h"

static struct dump_maker maker;

static void set_up(void) {
    dump_maker_open(&maker);
}
static void tear_down(void) {
    dump_maker_close(&maker);
}

static void ck_version(uint32_t version, const char *expected) {
    char text[DUMP_INFO_TEXT_SIZE];
    maker.header.python_version = version;
    struct dump_reader *reader = opened_dump_read(&maker);
    dump_info_version(reader, text);
    ck_assert_str_eq(text, expected);
    dump_reader_close(reader);
}

START_TEST(versions) {
    ck_version(0x030b07f0, "3.11.7");
    ck_version(0x030f00b1, "3.15.0b1");
    ck_version(0x030f00c2, "3.15.0rc2");
    ck_version(0, "");
}
END_TEST

START_TEST(signals) {
    char text[DUMP_INFO_TEXT_SIZE];
    dump_info_signal(SIGTERM, text);
    ck_assert_str_eq(text, "SIGTERM");
    dump_info_signal(SIGRTMIN + 3, text);
    ck_assert_str_eq(text, "SIGRTMIN+3");
    dump_info_signal(-5, text);
    ck_assert_str_eq(text, "signal -5");
}
END_TEST

static void ck_ending(uint32_t state, const char *name, const char *expected) {
    char text[DUMP_INFO_TEXT_SIZE * 2];
    maker.header.state = state;
    struct dump_reader *reader = opened_dump_read(&maker);
    dump_info_ending(reader, text);
    ck_assert_str_eq(dump_info_state(reader), name);
    ck_assert_str_eq(text, expected);
    dump_reader_close(reader);
}

START_TEST(endings) {
    maker.header.signal = SIGKILL;
    maker.header.oom_killed = 1;
    ck_ending(TRACEMALLOC_DUMP_EXITED, "exited", "exited with status 0");
    ck_ending(TRACEMALLOC_DUMP_SIGNAL, "signal",
              "killed by SIGKILL (9), out of memory");
    ck_ending(TRACEMALLOC_DUMP_TRACING, "killed", "killed by an unknown signal");
    ck_ending(TRACEMALLOC_DUMP_EXEC, "exec", "replaced by another program (exec)");
    ck_ending(1000, "killed", "killed by an unknown signal");
}
END_TEST

START_TEST(arguments_are_taken_apart) {
    struct dump_text argument;
    size_t at = 0;
    struct dump_reader *reader = opened_dump_read(&maker);
    ck_assert(dump_info_argument(reader, &at, &argument));
    ck_assert_str_eq(argument.bytes, "python3");
    ck_assert_uint_eq(argument.length, 7);
    ck_assert(dump_info_argument(reader, &at, &argument));
    ck_assert_str_eq(argument.bytes, "app.py");
    ck_assert(!dump_info_argument(reader, &at, &argument));
    dump_reader_close(reader);
}
END_TEST

START_TEST(implementations) {
    struct dump_reader *reader = opened_dump_read(&maker);
    ck_assert_str_eq(dump_info_implementation(reader), "cpython");
    reader->header.implementation = TRACEMALLOC_DUMP_CPYTHON_FREE_THREADED;
    ck_assert_str_eq(dump_info_implementation(reader), "cpython-free-threaded");
    reader->header.implementation = 99;
    ck_assert_ptr_null(dump_info_implementation(reader));
    dump_reader_close(reader);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("dump_info");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, versions);
    tcase_add_test(tests, signals);
    tcase_add_test(tests, endings);
    tcase_add_test(tests, arguments_are_taken_apart);
    tcase_add_test(tests, implementations);
    return check_run("dump_info", tests);
}
