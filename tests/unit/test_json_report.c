/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_tree.h>

#include "check_run.h"
#include "opened_dump.h"
#include "show/json_report.h"

static struct dump_maker maker;
static uint32_t code, leaf;
static yajl_val document;

static void set_up(void) {
    dump_maker_open(&maker);
    code = dump_maker_code(&maker, "/srv/app.py", "main");
    uint32_t caller = dump_maker_stack(&maker, 0, code, 1);
    leaf = dump_maker_stack(&maker, caller, dump_maker_code(&maker, "lib.py", "f"), 2);
    dump_maker_bucket(&maker, dump_maker_site(&maker, leaf, 0), 100, 3, 0);
}

static void tear_down(void) {
    yajl_tree_free(document);
    document = NULL;
    dump_maker_close(&maker);
}

static void parse(FILE *stream, char **text) {
    char error[200];
    fclose(stream);
    yajl_tree_free(document);
    document = yajl_tree_parse(*text, error, sizeof error);
    ck_assert_msg(document != NULL, "%s: %s", *text, error);
    free(*text);
}

static void print(const struct statistics *statistics, const struct dump_reader *old) {
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    ck_assert_int_eq(json_report_print(stream, statistics, "peak", old), 0);
    parse(stream, &text);
}

static void report(enum grouping_key key, bool cumulative) {
    struct opened_dump opened;
    struct grouping grouping;
    struct statistics statistics;
    opened_dump_open(&opened, &maker, PROFILE_NOW);
    ck_assert_int_eq(grouping_open(&grouping, &opened.profile, key, cumulative), 0);
    ck_assert_int_eq(statistics_open(&statistics, &grouping), 0);
    statistics_sort(&statistics, 1);
    print(&statistics, NULL);
    statistics_close(&statistics);
    grouping_close(&grouping);
    opened_dump_close(&opened);
}

/* Against the same dump before the last block was made. */
static void compare(struct opened_dump *old) {
    struct dump_reader *reader = opened_dump_read(&maker);
    struct profile profile;
    struct grouping before, after;
    struct statistics statistics;
    ck_assert_int_eq(profile_open(&profile, reader, &old->names, PROFILE_NOW), 0);
    ck_assert_int_eq(grouping_open(&before, &old->profile, GROUPING_LINENO, false), 0);
    ck_assert_int_eq(grouping_open(&after, &profile, GROUPING_LINENO, false), 0);
    ck_assert_int_eq(statistics_compare(&statistics, &before, &after), 0);
    statistics_sort(&statistics, SIZE_MAX);
    print(&statistics, old->reader);
    statistics_close(&statistics);
    grouping_close(&before);
    grouping_close(&after);
    profile_close(&profile);
    dump_reader_close(reader);
}

static yajl_val member(yajl_val object, const char *key) {
    const char *path[] = {key, NULL};
    yajl_val value = yajl_tree_get(object, path, yajl_t_any);
    ck_assert_msg(value != NULL, "no %s", key);
    return value;
}

static yajl_val element(yajl_val list, size_t at) {
    ck_assert_uint_gt(YAJL_GET_ARRAY(list)->len, at);
    return YAJL_GET_ARRAY(list)->values[at];
}

static long long number(yajl_val object, const char *key) {
    yajl_val value = member(object, key);
    ck_assert(YAJL_IS_INTEGER(value));
    return YAJL_GET_INTEGER(value);
}

static const char *word(yajl_val object, const char *key) {
    yajl_val value = member(object, key);
    ck_assert(YAJL_IS_STRING(value));
    return value->u.string;
}

static yajl_val entry(size_t at) {
    return element(member(document, "statistics"), at);
}

static void ck_frame(yajl_val frame, const char *filename, long long line,
                     const char *function) {
    ck_assert_str_eq(word(frame, "filename"), filename);
    ck_assert_int_eq(number(frame, "lineno"), line);
    if (function != NULL)
        ck_assert_str_eq(word(frame, "function"), function);
    else
        ck_assert(YAJL_IS_NULL(member(frame, "function")));
}

START_TEST(a_traceback_has_its_oldest_frame_first) {
    report(GROUPING_TRACEBACK, false);
    ck_assert_str_eq(word(document, "group_by"), "traceback");
    ck_assert_str_eq(word(document, "at"), "peak");
    yajl_val frames = member(entry(0), "traceback");
    ck_assert_uint_eq(YAJL_GET_ARRAY(frames)->len, 2);
    ck_frame(element(frames, 0), "/srv/app.py", 1, "main");
    ck_frame(element(frames, 1), "lib.py", 2, "f");
    ck_assert_int_eq(number(entry(0), "total_nframe"), 2);
}
END_TEST

START_TEST(a_traceback_is_cut_at_the_limit_but_not_its_depth) {
    maker.header.nframe = 1;
    report(GROUPING_TRACEBACK, false);
    yajl_val frames = member(entry(0), "traceback");
    ck_assert_uint_eq(YAJL_GET_ARRAY(frames)->len, 1);
    ck_frame(element(frames, 0), "lib.py", 2, "f");
    ck_assert_int_eq(number(entry(0), "total_nframe"), 2);
}
END_TEST

START_TEST(a_file_has_no_one_function) {
    report(GROUPING_FILENAME, true);
    ck_assert_str_eq(word(document, "group_by"), "filename");
    ck_assert(YAJL_IS_TRUE(member(document, "cumulative")));
    yajl_val frames = member(entry(0), "traceback");
    ck_assert_uint_eq(YAJL_GET_ARRAY(frames)->len, 1);
    ck_frame(element(frames, 0), "lib.py", 0, NULL);
    ck_assert(YAJL_IS_NULL(member(entry(0), "total_nframe")));
}
END_TEST

START_TEST(the_total_is_of_all_and_the_entries_are_those_asked_for) {
    dump_maker_bucket(&maker,
                      dump_maker_site(&maker, dump_maker_stack(&maker, 0, code, 9), 0),
                      7, 2, 0);
    report(GROUPING_LINENO, false);
    ck_assert_int_eq(number(member(document, "total"), "size"), 314);
    ck_assert_int_eq(number(member(document, "total"), "count"), 5);
    ck_assert_uint_eq(YAJL_GET_ARRAY(member(document, "statistics"))->len, 1);
    ck_assert_int_eq(number(entry(0), "size"), 300);
    ck_assert_int_eq(number(entry(0), "count"), 3);
}
END_TEST

START_TEST(a_comparison_has_differences) {
    struct opened_dump old;
    opened_dump_open(&old, &maker, PROFILE_NOW);
    dump_maker_bucket(&maker,
                      dump_maker_site(&maker, dump_maker_stack(&maker, 0, code, 9), 0),
                      7, 2, 0);
    struct tracemalloc_dump_bucket *bucket =
        dump_maker_entry(&maker, TRACEMALLOC_DUMP_BUCKETS, 1);
    bucket->live = 1;
    compare(&old);
    ck_assert_int_eq(number(entry(0), "size_diff"), -200);
    ck_assert_int_eq(number(entry(1), "size_diff"), 14);
    ck_assert_int_eq(number(entry(1), "count_diff"), 2);
    ck_assert_int_eq(number(member(document, "total"), "size_diff"), -186);
    opened_dump_close(&old);
}
END_TEST

START_TEST(what_either_dump_lacks_is_told) {
    struct opened_dump old;
    maker.header.lost[TRACEMALLOC_DUMP_LOST_NAMES] = 2;
    opened_dump_open(&old, &maker, PROFILE_NOW);
    maker.header.lost[TRACEMALLOC_DUMP_LOST_NAMES] = 0;
    compare(&old);
    ck_assert(YAJL_IS_FALSE(member(document, "complete")));
    yajl_val reason = element(member(document, "incomplete_reasons"), 0);
    ck_assert_ptr_nonnull(strstr(reason->u.string, "2 names"));
    report(GROUPING_LINENO, false);
    ck_assert(YAJL_IS_TRUE(member(document, "complete")));
    ck_assert_uint_eq(YAJL_GET_ARRAY(member(document, "incomplete_reasons"))->len, 0);
    opened_dump_close(&old);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("json_report");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_traceback_has_its_oldest_frame_first);
    tcase_add_test(tests, a_traceback_is_cut_at_the_limit_but_not_its_depth);
    tcase_add_test(tests, a_file_has_no_one_function);
    tcase_add_test(tests, the_total_is_of_all_and_the_entries_are_those_asked_for);
    tcase_add_test(tests, a_comparison_has_differences);
    tcase_add_test(tests, what_either_dump_lacks_is_told);
    return check_run("json_report", tests);
}
