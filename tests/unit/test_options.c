/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "check_run.h"
#include "control/options.h"
#include "control/request.h"
#include "tracemalloc_dump.h"

static const char *no_variable(const char *name) {
    (void)name;
    return NULL;
}

static const char *from_environment(const char *name) {
    return getenv(name);
}

static int read_all(struct options *options, char *error, size_t size) {
    errno = 77;
    int status = options_read(options, from_environment, error, size);
    ck_assert_int_eq(errno, 77);
    return status;
}

static void ck_accepted(enum option_id option, const char *text, struct options *out) {
    ck_assert_msg(options_parse(option, text, out) == 0, "%s", text);
}

static void ck_refused(enum option_id option, const char *text) {
    struct options options = {0};
    ck_assert_msg(options_parse(option, text, &options) == -EINVAL, "%s", text);
}

START_TEST(defaults) {
    struct options options;
    char error[200];
    ck_assert_int_eq(options_read(&options, no_variable, error, sizeof error), 0);
    ck_assert_str_eq(options.output, "tracemalloc.%p.dump");
    ck_assert_uint_eq(options.max_file, 1u << 30);
    ck_assert_uint_eq(options.run_id, 0);
    ck_assert_uint_eq(options.signal, REQUEST_DEFAULT_SIGNAL);
    ck_assert_uint_eq(options.native_frames, 0);
    ck_assert_uint_eq(options.sample_distance, 0);
    ck_assert_uint_eq(options.free_lists, OPTIONS_FREE_LISTS_EXACT);
    ck_assert(options.follow_fork);
    ck_assert(!options.quiet && !options.native_domain && !options.any_program);
}
END_TEST

START_TEST(default_signal_is_a_real_time_one) {
    ck_assert_int_gt(REQUEST_DEFAULT_SIGNAL, SIGRTMIN);
    ck_assert_int_lt(REQUEST_DEFAULT_SIGNAL, SIGRTMAX);
}
END_TEST

START_TEST(values_of_the_environment) {
    struct options options;
    char error[200];
    setenv("TRACEMALLOC_OUTPUT", "/var/tmp/%c.%h", 1);
    setenv("TRACEMALLOC_SIGNAL", "USR2", 1);
    setenv("TRACEMALLOC_FOLLOW_FORK", "0", 1);
    setenv("TRACEMALLOC_QUIET", "1", 1);
    setenv("TRACEMALLOC_FREE_LISTS", "0", 1);
    setenv("TRACEMALLOC_MAX_FILE", "20M", 1);
    setenv("TRACEMALLOC_NATIVE_DOMAIN", "1", 1);
    setenv("TRACEMALLOC_NATIVE_FRAMES", "40", 1);
    setenv("TRACEMALLOC_ANY_PROGRAM", "1", 1);
    setenv("TRACEMALLOC_TYPES", "1", 1);
    setenv("TRACEMALLOC_RUN", "fedcba9876543210", 1);
    ck_assert_int_eq(read_all(&options, error, sizeof error), 0);
    ck_assert_str_eq(options.output, "/var/tmp/%c.%h");
    ck_assert_uint_eq(options.signal, SIGUSR2);
    ck_assert_uint_eq(options.free_lists, OPTIONS_FREE_LISTS_NEVER);
    ck_assert(!options.follow_fork);
    ck_assert(options.quiet && options.native_domain && options.any_program);
    ck_assert(options.types);
    ck_assert_uint_eq(options.max_file, 20u << 20);
    ck_assert_uint_eq(options.native_frames, 40);
    ck_assert_uint_eq(options.run_id, 0xfedcba9876543210u);
}
END_TEST

START_TEST(an_empty_value_is_none) {
    struct options options;
    char error[200];
    setenv("TRACEMALLOC_OUTPUT", "", 1);
    setenv("TRACEMALLOC_SIGNAL", "", 1);
    setenv("TRACEMALLOC_FOLLOW_FORK", "", 1);
    setenv("TRACEMALLOC_RUN", "", 1);
    ck_assert_int_eq(read_all(&options, error, sizeof error), 0);
    ck_assert_str_eq(options.output, "tracemalloc.%p.dump");
    ck_assert_uint_eq(options.signal, REQUEST_DEFAULT_SIGNAL);
    ck_assert(options.follow_fork);
}
END_TEST

START_TEST(a_wrong_value_is_told) {
    struct options options;
    char error[200], little[10];
    setenv("TRACEMALLOC_QUIET", "1", 1);
    setenv("TRACEMALLOC_MAX_FILE", "lots", 1);
    ck_assert_int_eq(read_all(&options, error, sizeof error), -EINVAL);
    ck_assert_str_eq(error, "TRACEMALLOC_MAX_FILE must be a size from 16K to 64T");
    ck_assert(options.quiet);
    ck_assert_int_eq(read_all(&options, little, sizeof little), -EINVAL);
    ck_assert_str_eq(little, "TRACEMALL");
}
END_TEST

START_TEST(signals) {
    struct options options = {0};
    static const struct {
        const char *text;
        int number;
    } right[] = {{"USR2", SIGUSR2},      {"SIGUSR2", SIGUSR2},
                 {"usr1", SIGUSR1},      {"12", 12},
                 {"sigHup", SIGHUP},     {"IO", SIGIO},
                 {"VTALRM", SIGVTALRM},  {"64", 64},
                 {"POLL", SIGIO},        {"SIGio", SIGIO},
                 {"sigwinch", SIGWINCH}, {"CHLD", SIGCHLD}};
    static const char *const wrong[] = {"0",
                                        "9",
                                        "KILL",
                                        "STOP",
                                        "19",
                                        "SEGV",
                                        "ABRT",
                                        "SYS",
                                        "STKFLT",
                                        "16",
                                        "11",
                                        "32",
                                        "33",
                                        "65",
                                        "-1",
                                        "12 ",
                                        " 12",
                                        "USR3",
                                        "USR",
                                        "USR22",
                                        "SIG",
                                        "RTMIN+",
                                        "RTMIN-1",
                                        "RTMAX+1",
                                        "RTMIN+31",
                                        "RTMAX-31",
                                        "RTMIN+4294967296",
                                        "99999999999999999999",
                                        "12x"};
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        ck_accepted(OPTION_SIGNAL, right[i].text, &options);
        ck_assert_int_eq((int)options.signal, (int)right[i].number);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        ck_refused(OPTION_SIGNAL, wrong[i]);
    ck_accepted(OPTION_SIGNAL, "RTMIN+3", &options);
    ck_assert_int_eq((int)options.signal, SIGRTMIN + 3);
    ck_accepted(OPTION_SIGNAL, "SIGRTMAX-2", &options);
    ck_assert_int_eq((int)options.signal, SIGRTMAX - 2);
    ck_accepted(OPTION_SIGNAL, "RTMIN", &options);
    ck_assert_int_eq((int)options.signal, SIGRTMIN);
}
END_TEST

START_TEST(sizes) {
    struct options options = {0};
    ck_accepted(OPTION_MAX_FILE, "16384", &options);
    ck_assert_uint_eq(options.max_file, 16384);
    ck_accepted(OPTION_MAX_FILE, "20k", &options);
    ck_assert_uint_eq(options.max_file, 20480);
    ck_accepted(OPTION_MAX_FILE, "64T", &options);
    ck_assert_uint_eq(options.max_file, (uint64_t)1 << 46);
    ck_refused(OPTION_MAX_FILE, "16383");
    ck_refused(OPTION_MAX_FILE, "65T");
    ck_refused(OPTION_MAX_FILE, "18446744073709551616");
    ck_refused(OPTION_MAX_FILE, "18014398509481984K");
    ck_refused(OPTION_MAX_FILE, "1GB");
    ck_refused(OPTION_MAX_FILE, "G");
    ck_refused(OPTION_MAX_FILE, "-1");
    ck_refused(OPTION_MAX_FILE, "1P");
    ck_refused(OPTION_MAX_FILE, "30000 ");
}
END_TEST

START_TEST(distances_of_samples) {
    static const char *const wrong[] = {"-1",  "512KB", "1G1", "2G",   "1073741825",
                                        "0.5", "1e6",   "K",   "many", " 1"};
    struct options options = {0};
    ck_accepted(OPTION_SAMPLE, "512K", &options);
    ck_assert_uint_eq(options.sample_distance, 512 << 10);
    ck_accepted(OPTION_SAMPLE, "2m", &options);
    ck_assert_uint_eq(options.sample_distance, 2 << 20);
    ck_accepted(OPTION_SAMPLE, "1G", &options);
    ck_assert_uint_eq(options.sample_distance, TRACEMALLOC_DUMP_MAX_SAMPLE_DISTANCE);
    ck_accepted(OPTION_SAMPLE, "123457", &options);
    ck_assert_uint_eq(options.sample_distance, 123457);
    ck_accepted(OPTION_SAMPLE, "0", &options);
    ck_assert_uint_eq(options.sample_distance, 0);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        ck_refused(OPTION_SAMPLE, wrong[i]);
}
END_TEST

START_TEST(small_values) {
    struct options options = {0};
    ck_refused(OPTION_QUIET, "2");
    ck_refused(OPTION_QUIET, "yes");
    ck_refused(OPTION_QUIET, "01");
    ck_accepted(OPTION_NATIVE_FRAMES, "65535", &options);
    ck_refused(OPTION_NATIVE_FRAMES, "65536");
    ck_accepted(OPTION_NATIVE_FRAMES, "1", &options);
    ck_assert_uint_eq(options.native_frames, DEFAULT_NATIVE_NFRAME);
    ck_refused(OPTION_ANY_PROGRAM, "2");
    ck_accepted(OPTION_RUN, "1F", &options);
    ck_assert_uint_eq(options.run_id, 0x1f);
    ck_refused(OPTION_RUN, "0");
    ck_refused(OPTION_RUN, "0x1");
    ck_refused(OPTION_RUN, "11112222333344445");
}
END_TEST

START_TEST(amounts_of_memory) {
    struct options options = {0};
    char text[OPTIONS_THRESHOLD_SIZE];
    static const char *const wrong[] = {"",
                                        "80",
                                        "0%",
                                        "100%",
                                        "1000K",
                                        "80%,",
                                        ",80%",
                                        "80%;95%",
                                        "80 %",
                                        "80%%",
                                        "-1%",
                                        "1.5G",
                                        "65T",
                                        "1500",
                                        "1500X",
                                        "80%,,95%",
                                        "%",
                                        "80%95",
                                        "80%, 95%",
                                        "1500MB",
                                        "0M",
                                        "18446744073709551616M",
                                        "1%,2%,3%,4%,5%,6%,7%,8%,9%"};
    ck_accepted(OPTION_SNAPSHOT_AT, "80%,1500m,2G,80%,1048576", &options);
    ck_assert_uint_eq(options.snapshot_at.count, 4);
    options_threshold_text(&options.snapshot_at.entries[0], text);
    ck_assert_str_eq(text, "80");
    ck_assert_uint_eq(options_threshold_bytes(&options.snapshot_at.entries[0]), 0);
    options_threshold_text(&options.snapshot_at.entries[1], text);
    ck_assert_str_eq(text, "1500M");
    ck_assert_uint_eq(options_threshold_bytes(&options.snapshot_at.entries[1]),
                      1500u << 20);
    options_threshold_text(&options.snapshot_at.entries[3], text);
    ck_assert_str_eq(text, "1048576");
    ck_accepted(OPTION_SNAPSHOT_AT, "1%,2%,3%,4%,5%,6%,7%,99%", &options);
    ck_assert_uint_eq(options.snapshot_at.count, 8);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        ck_refused(OPTION_SNAPSHOT_AT, wrong[i]);
}
END_TEST

START_TEST(wrong_amounts_are_left_out) {
    struct options options;
    char error[200];
    setenv("TRACEMALLOC_SNAPSHOT_AT", "80%,95", 1);
    setenv("TRACEMALLOC_MAX_FILE", "20M", 1);
    ck_assert_int_eq(read_all(&options, error, sizeof error), 0);
    ck_assert_str_eq(
        error, "TRACEMALLOC_SNAPSHOT_AT must be a list of up to 8 percentages from "
               "1% to 99% and sizes from 1M, separated by commas");
    ck_assert_uint_eq(options.snapshot_at.count, 0);
    ck_assert_uint_eq(options.max_file, 20u << 20);
    setenv("TRACEMALLOC_SNAPSHOT_AT", "80%,95%", 1);
    ck_assert_int_eq(read_all(&options, error, sizeof error), 0);
    ck_assert_str_eq(error, "");
    ck_assert_uint_eq(options.snapshot_at.count, 2);
    setenv("TRACEMALLOC_SNAPSHOT_AT", "95", 1);
    setenv("TRACEMALLOC_MAX_FILE", "x", 1);
    ck_assert_int_eq(read_all(&options, error, sizeof error), -EINVAL);
    ck_assert_str_eq(error, "TRACEMALLOC_MAX_FILE must be a size from 16K to 64T");
}
END_TEST

static const struct pattern_values values = {42, "py/thon", "host", 1700000000};

static int expand(const char *pattern, char *out, size_t size) {
    return options_expand_pattern(pattern, &values, out, size);
}

START_TEST(patterns) {
    char name[64];
    ck_assert_int_eq(expand("plain", name, sizeof name), 0);
    ck_assert_str_eq(name, "plain");
    ck_assert_int_eq(expand("/d/%p-%c-%h-%t-%%.dump", name, sizeof name), 0);
    ck_assert_str_eq(name, "/d/42-py_thon-host-1700000000-%.dump");
    ck_assert_int_eq(expand("%p%p", name, sizeof name), 0);
    ck_assert_str_eq(name, "4242");
}
END_TEST

START_TEST(wrong_patterns) {
    char name[64];
    static const char *const wrong[] = {"", "%", "a%", "%q", "%1p", "folder/", "%%%"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert_int_eq(expand(wrong[i], name, sizeof name), -EINVAL);
        ck_refused(OPTION_OUTPUT, wrong[i]);
    }
}
END_TEST

START_TEST(names_that_do_not_fit) {
    char name[8] = "unused!";
    ck_assert_int_eq(expand("1234567", name, 8), 0);
    ck_assert_int_eq(expand("12345678", name, 8), -ENAMETOOLONG);
    ck_assert_int_eq(expand("%h%h%h%h", name, 8), -ENAMETOOLONG);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("options");
    tcase_add_test(tests, defaults);
    tcase_add_test(tests, default_signal_is_a_real_time_one);
    tcase_add_test(tests, values_of_the_environment);
    tcase_add_test(tests, an_empty_value_is_none);
    tcase_add_test(tests, a_wrong_value_is_told);
    tcase_add_test(tests, signals);
    tcase_add_test(tests, sizes);
    tcase_add_test(tests, distances_of_samples);
    tcase_add_test(tests, small_values);
    tcase_add_test(tests, amounts_of_memory);
    tcase_add_test(tests, wrong_amounts_are_left_out);
    tcase_add_test(tests, patterns);
    tcase_add_test(tests, wrong_patterns);
    tcase_add_test(tests, names_that_do_not_fit);
    return check_run("options", tests);
}
