/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "check_run.h"
#include "opened_dump.h"
#include "profile/grouping.h"
#include "profile/statistics.h"

static struct dump_maker maker;

/* main:1 > work:2 > work:2 > leaf:3 (10 bytes) and main:1 > leaf:4 (1 byte); files
 * main.py and work.py (work, leaf). */
static void set_up(void) {
    dump_maker_open(&maker);
    uint32_t top = dump_maker_code(&maker, "main.py", "main");
    uint32_t work = dump_maker_code(&maker, "work.py", "work");
    uint32_t leaf = dump_maker_code(&maker, "work.py", "leaf");
    uint32_t root = dump_maker_stack(&maker, 0, top, 1);
    uint32_t deep = dump_maker_stack(&maker, root, work, 2);
    deep = dump_maker_stack(&maker, deep, work, 2);
    deep = dump_maker_stack(&maker, deep, leaf, 3);
    uint32_t flat = dump_maker_stack(&maker, root, leaf, 4);
    dump_maker_bucket(&maker, dump_maker_site(&maker, deep, 0), 10, 1, 0);
    dump_maker_bucket(&maker, dump_maker_site(&maker, flat, 0), 1, 1, 0);
}

static void tear_down(void) {
    dump_maker_close(&maker);
}

/* The weight of the group with that frame, in the only profile there is. */
static uint64_t size_of(enum grouping_key key, bool cumulative, const char *name,
                        uint32_t line) {
    struct opened_dump opened;
    struct grouping grouping;
    uint64_t size = 0;
    opened_dump_open(&opened, &maker, PROFILE_NOW);
    ck_assert_int_eq(grouping_open(&grouping, &opened.profile, key, cumulative), 0);
    for (size_t i = 0; i < grouping.count; i++) {
        struct frame frame = grouping.groups[i].frame;
        if (frame.line == line &&
            strcmp(profile_filename(&opened.profile, frame).bytes, name) == 0)
            size += grouping.groups[i].weight.size;
    }
    grouping_close(&grouping);
    opened_dump_close(&opened);
    return size;
}

START_TEST(by_line_and_by_file) {
    ck_assert_uint_eq(size_of(GROUPING_LINENO, false, "work.py", 3), 10);
    ck_assert_uint_eq(size_of(GROUPING_LINENO, false, "work.py", 4), 1);
    ck_assert_uint_eq(size_of(GROUPING_FILENAME, false, "work.py", 0), 11);
    ck_assert_uint_eq(size_of(GROUPING_FILENAME, false, "main.py", 0), 0);
}
END_TEST

START_TEST(cumulative_counts_each_frame_each_time) {
    ck_assert_uint_eq(size_of(GROUPING_LINENO, true, "main.py", 1), 11);
    ck_assert_uint_eq(size_of(GROUPING_LINENO, true, "work.py", 2), 20);
    ck_assert_uint_eq(size_of(GROUPING_FILENAME, true, "work.py", 0), 31);
}
END_TEST

START_TEST(by_function_and_by_module) {
    struct tracemalloc_dump_module entry = {.path = dump_maker_text(&maker, "/lib/x")};
    struct tracemalloc_dump_symbol symbol = {
        .module = dump_maker_append(&maker, TRACEMALLOC_DUMP_MODULES, &entry),
        .function = dump_maker_text(&maker, "native"),
        .address = 0x20};
    uint32_t code = TRACEMALLOC_DUMP_NATIVE | symbol.module;
    uint32_t first = dump_maker_stack(&maker, 2, code, 0x10);
    uint32_t second = dump_maker_stack(&maker, first, code, 0x20);
    dump_maker_append(&maker, TRACEMALLOC_DUMP_SYMBOLS, &symbol);
    dump_maker_bucket(&maker, dump_maker_site(&maker, first, 1), 100, 1, 0);
    dump_maker_bucket(&maker, dump_maker_site(&maker, second, 1), 1000, 1, 0);
    ck_assert_uint_eq(size_of(GROUPING_FUNCTION, false, "native", 0), 1000);
    ck_assert_uint_eq(size_of(GROUPING_FUNCTION, false, "/lib/x+0x10", 0), 100);
    ck_assert_uint_eq(size_of(GROUPING_FUNCTION, false, "leaf", 0), 11);
    ck_assert_uint_eq(size_of(GROUPING_MODULE, false, "/lib/x", 0), 1100);
    ck_assert_uint_eq(size_of(GROUPING_FILENAME, false, "/lib/x", 0), 1100);
    ck_assert_uint_eq(size_of(GROUPING_LINENO, false, "/lib/x+0x20", 0), 1000);
    ck_assert_uint_eq(size_of(GROUPING_FUNCTION, true, "/lib/x+0x10", 0), 1100);
    ck_assert_uint_eq(size_of(GROUPING_FUNCTION, true, "work", 0), 10);
    ck_assert_uint_eq(size_of(GROUPING_MODULE, true, "/lib/x", 0), 1100);
    ck_assert_uint_eq(size_of(GROUPING_MODULE, true, "main.py", 0), 1111);
}
END_TEST

START_TEST(a_library_that_was_loaded_again_is_another_one) {
    struct tracemalloc_dump_module entry = {.path = dump_maker_text(&maker, "/lib/x")};
    for (int loading = 0; loading < 2; loading++) {
        uint32_t module = dump_maker_append(&maker, TRACEMALLOC_DUMP_MODULES, &entry);
        uint32_t stack =
            dump_maker_stack(&maker, 2, TRACEMALLOC_DUMP_NATIVE | module, 0x10);
        dump_maker_bucket(&maker, dump_maker_site(&maker, stack, 1), 100, 1, 0);
    }
    ck_assert_uint_eq(size_of(GROUPING_LINENO, false, "/lib/x+0x10", 0), 200);
    struct opened_dump opened;
    struct grouping grouping;
    opened_dump_open(&opened, &maker, PROFILE_NOW);
    ck_assert_int_eq(
        grouping_open(&grouping, &opened.profile, GROUPING_TRACEBACK, false), 0);
    ck_assert_uint_eq(grouping.count, 4);
    grouping_close(&grouping);
    opened_dump_close(&opened);
}
END_TEST

START_TEST(cumulative_ends_at_the_frame_limit) {
    maker.header.nframe = 2;
    ck_assert_uint_eq(size_of(GROUPING_LINENO, true, "main.py", 1), 1);
    ck_assert_uint_eq(size_of(GROUPING_LINENO, true, "work.py", 2), 10);
    ck_assert_uint_eq(size_of(GROUPING_LINENO, true, "work.py", 3), 10);
}
END_TEST

START_TEST(tracebacks_that_look_alike_are_one) {
    uint32_t other = dump_maker_code(&maker, "work.py", "another function");
    uint32_t deeper = dump_maker_stack(&maker, 2, other, 9);
    uint32_t first = dump_maker_stack(&maker, deeper, other, 7);
    uint32_t second =
        dump_maker_stack(&maker, 0, dump_maker_code(&maker, "work.py", "x"), 7);
    dump_maker_bucket(&maker, dump_maker_site(&maker, first, 0), 100, 1, 0);
    dump_maker_bucket(&maker, dump_maker_site(&maker, second, 0), 1000, 1, 0);
    struct opened_dump opened;
    struct grouping grouping;
    for (uint32_t limit = 1; limit <= 2; limit++) {
        maker.header.nframe = limit;
        opened_dump_open(&opened, &maker, PROFILE_NOW);
        ck_assert_int_eq(
            grouping_open(&grouping, &opened.profile, GROUPING_TRACEBACK, false), 0);
        ck_assert_uint_eq(grouping.count, limit == 1 ? 3 : 4);
        grouping_close(&grouping);
        opened_dump_close(&opened);
    }
}
END_TEST

/* Of the only group with that line; `by` as in size_of. */
static const char *function_of(enum grouping_key key, bool cumulative, uint32_t line) {
    static char name[32];
    struct opened_dump opened;
    struct grouping grouping;
    opened_dump_open(&opened, &maker, PROFILE_NOW);
    ck_assert_int_eq(grouping_open(&grouping, &opened.profile, key, cumulative), 0);
    name[0] = '\0';
    for (size_t i = 0; i < grouping.count; i++)
        if (grouping.groups[i].frame.line == line)
            snprintf(name, sizeof name, "%s",
                     profile_function(&opened.profile, grouping.groups[i].stack).bytes);
    grouping_close(&grouping);
    opened_dump_close(&opened);
    return name;
}

/* Line 9 is that of a module, of a function and of a lambda: in many small pieces the
 * function holds most of it. */
START_TEST(a_shared_line_has_the_function_that_holds_most) {
    uint32_t module = dump_maker_code(&maker, "one.py", "<module>");
    uint32_t make = dump_maker_code(&maker, "one.py", "make");
    uint32_t lambda = dump_maker_code(&maker, "one.py", "<lambda>");
    uint32_t first = dump_maker_stack(&maker, 0, module, 9);
    dump_maker_bucket(&maker, dump_maker_site(&maker, first, 0), 150, 1, 0);
    for (uint32_t i = 0; i < 20; i++) {
        uint32_t caller = dump_maker_stack(&maker, 2, module, 100 + i);
        uint32_t stack = dump_maker_stack(&maker, caller, make, 9);
        dump_maker_bucket(&maker, dump_maker_site(&maker, stack, 0), 10, 1, 0);
    }
    uint32_t last = dump_maker_stack(&maker, 0, lambda, 9);
    dump_maker_bucket(&maker, dump_maker_site(&maker, last, 0), 1, 180, 0);
    ck_assert_str_eq(function_of(GROUPING_LINENO, false, 9), "make");
    ck_assert_str_eq(function_of(GROUPING_LINENO, true, 9), "make");
    maker.header.nframe = 1;
    ck_assert_str_eq(function_of(GROUPING_TRACEBACK, false, 9), "make");
}
END_TEST

/* dict: 6 blocks at leaf:3, 2 at leaf:4; list: 5 at leaf:3. */
static void make_census(void) {
    const struct tracemalloc_dump_census entries[] = {
        {1, 1, 4}, {1, 2, 5}, {2, 1, 2}, {1, 3, 2}};
    struct tracemalloc_dump_type types[] = {{0, 0},
                                            {dump_maker_text(&maker, "dict"), 0},
                                            {dump_maker_text(&maker, "list"), 0},
                                            {dump_maker_text(&maker, "dict"), 0}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        dump_maker_append(&maker, TRACEMALLOC_DUMP_TYPES, &types[i]);
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
        dump_maker_append(&maker, TRACEMALLOC_DUMP_CENSUS, &entries[i]);
    maker.header.census_time = 1;
}

static uint64_t blocks_of(enum grouping_key key, const char *type, uint32_t line) {
    struct opened_dump opened;
    struct grouping grouping;
    uint64_t count = 0;
    opened_dump_open(&opened, &maker, PROFILE_CENSUS);
    ck_assert_int_eq(grouping_open(&grouping, &opened.profile, key, false), 0);
    for (size_t i = 0; i < grouping.count; i++) {
        const struct group *group = &grouping.groups[i];
        const char *name = opened.names.texts[group->type].bytes;
        if (group->frame.line == line && strcmp(name, type) == 0)
            count += group->weight.count;
    }
    ck_assert_uint_eq(opened.profile.total.count, 13);
    ck_assert_uint_eq(opened.profile.total.size, 11 * 10 + 2);
    grouping_close(&grouping);
    opened_dump_close(&opened);
    return count;
}

START_TEST(by_type_and_by_line_of_it) {
    make_census();
    ck_assert_uint_eq(blocks_of(GROUPING_TYPE, "dict", 0), 8);
    ck_assert_uint_eq(blocks_of(GROUPING_TYPE, "list", 0), 5);
    ck_assert_uint_eq(blocks_of(GROUPING_TYPE_LINENO, "dict", 3), 6);
    ck_assert_uint_eq(blocks_of(GROUPING_TYPE_LINENO, "dict", 4), 2);
    ck_assert_uint_eq(blocks_of(GROUPING_TYPE_LINENO, "list", 3), 5);
}
END_TEST

START_TEST(a_million_entries_are_quick) {
    struct opened_dump opened;
    struct grouping grouping;
    struct statistics statistics;
    dump_maker_fill(&maker, 1000000);
    clock_t start = clock();
    opened_dump_open(&opened, &maker, PROFILE_NOW);
    ck_assert_int_eq(
        grouping_open(&grouping, &opened.profile, GROUPING_TRACEBACK, false), 0);
    ck_assert_int_eq(statistics_open(&statistics, &grouping), 0);
    statistics_sort(&statistics, 10);
    ck_assert_uint_eq(statistics.shown, 10);
    ck_assert_uint_eq(opened.profile.total.count, 1000002);
    /* Half a second is asked for on an optimised build; this one may be full of checks,
     * on a busy machine. */
    ck_assert_double_lt((double)(clock() - start) / CLOCKS_PER_SEC, 5);
    statistics_close(&statistics);
    grouping_close(&grouping);
    opened_dump_close(&opened);
}
END_TEST

/* A chain of many frames that are all shown would take forever if each was looked at
 * for each block. */
START_TEST(deep_stacks_are_quick) {
    struct opened_dump opened;
    struct grouping grouping;
    uint32_t code = dump_maker_code(&maker, "deep.py", "deep"), stack = 0;
    maker.header.nframe = 65535;
    for (uint32_t i = 0; i < 300000; i++) {
        stack = dump_maker_stack(&maker, stack, code, i % 3);
        if (i > 100000)
            dump_maker_bucket(&maker, dump_maker_site(&maker, stack, 0), 1, 1, 0);
    }
    opened_dump_open(&opened, &maker, PROFILE_NOW);
    clock_t start = clock();
    for (int cumulative = 0; cumulative < 2; cumulative++) {
        enum grouping_key key = cumulative ? GROUPING_LINENO : GROUPING_TRACEBACK;
        struct statistics statistics;
        ck_assert_int_eq(grouping_open(&grouping, &opened.profile, key, cumulative), 0);
        ck_assert_int_eq(statistics_open(&statistics, &grouping), 0);
        statistics_sort(&statistics, 10);
        statistics_close(&statistics);
        grouping_close(&grouping);
    }
    ck_assert_double_lt((double)(clock() - start) / CLOCKS_PER_SEC, 5);
    opened_dump_close(&opened);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("grouping");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, by_line_and_by_file);
    tcase_add_test(tests, cumulative_counts_each_frame_each_time);
    tcase_add_test(tests, by_function_and_by_module);
    tcase_add_test(tests, a_library_that_was_loaded_again_is_another_one);
    tcase_add_test(tests, cumulative_ends_at_the_frame_limit);
    tcase_add_test(tests, tracebacks_that_look_alike_are_one);
    tcase_add_test(tests, a_shared_line_has_the_function_that_holds_most);
    tcase_add_test(tests, by_type_and_by_line_of_it);
    tcase_add_test(tests, a_million_entries_are_quick);
    tcase_add_test(tests, deep_stacks_are_quick);
    return check_run("grouping", tests);
}
