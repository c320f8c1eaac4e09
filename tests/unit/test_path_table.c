/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "check_run.h"
#include "opened_dump.h"
#include "profile/path_table.h"

static struct dump_maker maker;
static struct dump_reader *reader;
static struct frame_names names;
static struct profile shown, ever;
static struct path_table table;

static void set_up(void) {
    dump_maker_open(&maker);
}

static void tear_down(void) {
    dump_maker_close(&maker);
}

static bool whole;

static void open_table(bool by_process) {
    reader = opened_dump_read(&maker);
    ck_assert_int_eq(frame_names_open(&names), 0);
    ck_assert_int_eq(profile_open(&shown, reader, &names, PROFILE_NOW), 0);
    ck_assert_int_eq(profile_open(&ever, reader, &names, PROFILE_ALLOCATED), 0);
    ck_assert_int_eq(path_table_open(&table, &names, 3), 0);
    const struct path_source source = {.profiles = &shown,
                                       .profile_count = 1,
                                       .ever = &ever,
                                       .by_process = by_process,
                                       .whole = whole};
    ck_assert_int_eq(path_table_add(&table, &source), 0);
    path_table_aggregate(&table);
}

static void close_table(void) {
    path_table_close(&table);
    profile_close(&ever);
    profile_close(&shown);
    frame_names_close(&names);
    dump_reader_close(reader);
}

static uint32_t step(size_t path, uint32_t at) {
    ck_assert_uint_lt(at, table.paths[path].length);
    return table.steps[table.paths[path].first + at];
}

static void ck_frame(uint32_t frame, const char *function, uint32_t line) {
    struct dump_text text = table.functions.texts[path_table_function(&table, frame)];
    ck_assert_uint_eq(text.length, strlen(function));
    ck_assert_mem_eq(text.bytes, function, text.length);
    ck_assert_uint_eq(path_table_line(&table, frame), line);
}

/* A stack of `depth` frames of f, on lines 1, 2 and so on. */
static uint32_t add_stack(uint32_t depth) {
    uint32_t code = dump_maker_code(&maker, "x.py", "f"), stack = 0;
    for (uint32_t line = 1; line <= depth; line++)
        stack = dump_maker_stack(&maker, stack, code, line);
    return stack;
}

START_TEST(a_path_is_a_window_oldest_first) {
    maker.header.nframe = 2;
    uint32_t deep = dump_maker_site(&maker, add_stack(3), 0);
    uint32_t flat = dump_maker_site(&maker, add_stack(2), 0);
    dump_maker_bucket(&maker, deep, 10, 1, 0);
    dump_maker_bucket(&maker, flat, 10, 1, 0);
    open_table(false);
    ck_assert_uint_eq(table.count, 2);
    ck_assert_uint_eq(table.paths[0].length, 3);
    ck_assert_uint_eq(step(0, 0), PATH_TABLE_CUT);
    ck_frame(step(0, 1), "f", 2);
    ck_frame(step(0, 2), "f", 3);
    ck_assert_uint_eq(table.paths[1].length, 2);
    ck_frame(step(1, 0), "f", 1);
    ck_assert_uint_eq(step(1, 1), step(0, 1));
    ck_assert_uint_eq(table.nframe, 2);
    close_table();
}
END_TEST

/* Of f:1 f:2 f:3, the blocks at f:3 have f:2 in their window, f:1 not. */
START_TEST(a_whole_stack_has_lines_where_they_are_certain) {
    maker.header.nframe = 2;
    whole = true;
    uint32_t outer = add_stack(1), code = 2;
    uint32_t inner =
        dump_maker_stack(&maker, dump_maker_stack(&maker, outer, code, 2), code, 3);
    dump_maker_bucket(&maker, dump_maker_site(&maker, inner, 0), 10, 1, 0);
    dump_maker_bucket(&maker, dump_maker_site(&maker, outer, 0), 10, 1, 0);
    open_table(false);
    ck_assert_uint_eq(table.paths[0].length, 3);
    ck_frame(step(0, 0), "f", 0);
    ck_frame(step(0, 1), "f", 2);
    ck_frame(step(0, 2), "f", 3);
    ck_assert_uint_eq(step(1, 0), step(0, 0));
    close_table();
}
END_TEST

START_TEST(values_and_shares) {
    uint32_t first = dump_maker_site(&maker, add_stack(1), 0);
    uint32_t second = dump_maker_site(&maker, 0, TRACEMALLOC_DUMP_DOMAIN_LIBC);
    dump_maker_site(&maker, add_stack(2), 0); /* holds nothing, ever */
    dump_maker_bucket(&maker, first, 30, 2, 0);
    dump_maker_bucket(&maker, second, 20, 2, 0);
    open_table(false);
    ck_assert_uint_eq(table.count, 2);
    static const uint64_t values[] = {60, 2, 2, 40, 2, 2};
    ck_assert_mem_eq(table.values, values, sizeof values);
    ck_assert_uint_eq(table.totals[0], 100);
    ck_assert_uint_eq(table.totals[1], 4);
    ck_assert_float_eq_tol(table.paths[0].share, 0.6f, 1e-6f);
    ck_assert_float_eq_tol(table.paths[1].share, 0.5f, 1e-6f);
    ck_assert_uint_eq(table.domains[table.paths[1].domain].number,
                      TRACEMALLOC_DUMP_DOMAIN_LIBC);
    ck_assert_uint_eq(table.paths[1].length, 1);
    close_table();
}
END_TEST

START_TEST(a_process_is_a_frame) {
    maker.header.pid = 4242;
    dump_maker_bucket(&maker, dump_maker_site(&maker, add_stack(1), 0), 5, 1, 0);
    open_table(true);
    ck_assert_uint_eq(table.paths[0].length, 2);
    ck_frame(step(0, 0), "process 4242", 0);
    ck_frame(step(0, 1), "f", 1);
    close_table();
}
END_TEST

/* 20000 stacks, each of up to 20000 frames, would be far more steps than there may
 * be. */
START_TEST(very_deep_stacks_are_cut_shorter) {
    uint32_t code = dump_maker_code(&maker, "x.py", "f"), stack = 0;
    maker.header.nframe = 65535;
    for (uint32_t i = 0; i < 20000; i++) {
        stack = dump_maker_stack(&maker, stack, code, i + 1);
        dump_maker_bucket(&maker, dump_maker_site(&maker, stack, 0), 1, 1, 0);
    }
    open_table(false);
    ck_assert_uint_eq(table.count, 20000);
    ck_assert_uint_le(table.step_count, PATH_TABLE_MAX_STEPS);
    ck_assert_uint_lt(table.nframe, 65535);
    ck_assert_uint_eq(step(19999, 0), PATH_TABLE_CUT);
    ck_frame(step(19999, table.paths[19999].length - 1), "f", 20000);
    close_table();
}
END_TEST

START_TEST(domains_beyond_the_last_share_it) {
    for (uint32_t i = 0; i < 40; i++) {
        struct tracemalloc_dump_domain domain = {100 + i, 0};
        uint32_t id = dump_maker_append(&maker, TRACEMALLOC_DUMP_DOMAINS, &domain);
        dump_maker_bucket(&maker, dump_maker_site(&maker, 0, id), 1, 1, 0);
    }
    open_table(false);
    ck_assert_uint_eq(table.domain_count, PATH_TABLE_MAX_DOMAINS);
    ck_assert_uint_eq(table.paths[39].domain, PATH_TABLE_MAX_DOMAINS - 1);
    ck_assert_uint_eq(table.totals[0], 40);
    close_table();
}
END_TEST

/* Two dumps of one caller, in one of them with blocks beyond the limit. */
START_TEST(joined_dumps_agree_on_lines) {
    uint32_t f = dump_maker_code(&maker, "x.py", "f");
    maker.header.nframe = 2;
    uint32_t stack = dump_maker_stack(&maker, 0, f, 1);
    dump_maker_bucket(&maker, dump_maker_site(&maker, stack, 0), 1, 1, 0);
    struct dump_reader *readers[2] = {opened_dump_read(&maker)};
    for (uint32_t line = 2; line <= 4; line++)
        stack = dump_maker_stack(&maker, stack, f, line);
    dump_maker_bucket(&maker, dump_maker_site(&maker, stack, 0), 1, 1, 0);
    readers[1] = opened_dump_read(&maker);
    struct profile profiles[2];
    ck_assert_int_eq(frame_names_open(&names), 0);
    ck_assert_int_eq(path_table_open(&table, &names, 6), 0);
    for (int joins = 1; joins >= 0; joins--)
        for (unsigned i = 0; i < 2; i++) {
            if (joins)
                ck_assert_int_eq(
                    profile_open(&profiles[i], readers[i], &names, PROFILE_ALLOCATED),
                    0);
            const struct path_source source = {.profiles = &profiles[i],
                                               .profile_count = 1,
                                               .ever = &profiles[i],
                                               .column = 3 * i,
                                               .whole = true};
            ck_assert_int_eq(joins ? path_table_join(&table, &source)
                                   : path_table_add(&table, &source),
                             0);
        }
    ck_assert_uint_eq(table.count, 3);
    ck_frame(step(0, 0), "f", 0);
    ck_assert_uint_eq(step(1, 0), step(0, 0));
    ck_assert_uint_eq(step(2, 0), step(0, 0));
    ck_assert_uint_eq(table.paths[2].length, 4);
    ck_frame(step(2, 3), "f", 4);
    for (unsigned i = 0; i < 2; i++) {
        profile_close(&profiles[i]);
        dump_reader_close(readers[i]);
    }
    path_table_close(&table);
    frame_names_close(&names);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("path_table");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_path_is_a_window_oldest_first);
    tcase_add_test(tests, a_whole_stack_has_lines_where_they_are_certain);
    tcase_add_test(tests, values_and_shares);
    tcase_add_test(tests, a_process_is_a_frame);
    tcase_add_test(tests, very_deep_stacks_are_cut_shorter);
    tcase_add_test(tests, joined_dumps_agree_on_lines);
    tcase_add_test(tests, domains_beyond_the_last_share_it);
    return check_run("path_table", tests);
}
