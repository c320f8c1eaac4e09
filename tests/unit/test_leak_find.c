/* SPDX-License-Identifier: MIT */
#include "leak/leak_find.h"

#include "leak/leak_cluster.h"
#include "opened_dump.h"
#include "suite.h"

enum { EPOCHS = 48 };
static const uint64_t second = 1000000000, start = 1700000000123456789u;

static struct dump_maker maker;
static uint32_t app, library;
static struct opened_dump opened;
static struct leak_lines lines;

static void begin(void) {
    dump_maker_open(&maker);
    app = dump_maker_code(&maker, "app.py", "work");
    library = dump_maker_code(&maker, "/usr/lib/python3.11/lib.py", "make");
    for (uint32_t i = 0; i < EPOCHS; i++)
        dump_maker_epoch(&maker, start + i * second, i + 1);
    maker.header.end_time = start + EPOCHS * second;
}

static void find(void) {
    opened_dump_open(&opened, &maker, PROFILE_ALLOCATED);
    ck_assert_int_eq(leak_lines_open(&lines, &opened.profile, 0), 0);
}

static void end(void) {
    leak_lines_close(&lines);
    opened_dump_close(&opened);
    dump_maker_close(&maker);
}

static uint32_t add_site(uint32_t stack) {
    return dump_maker_site(&maker, stack, 0);
}

/* A block that was born in an epoch and did not change since. */
static void keep(uint32_t site, uint64_t size, uint32_t epoch, uint32_t count) {
    uint32_t id = dump_maker_bucket(&maker, site, size, count, 0);
    struct tracemalloc_dump_bucket *bucket =
        dump_maker_entry(&maker, TRACEMALLOC_DUMP_BUCKETS, id);
    bucket->birth = (uint8_t)epoch;
    bucket->stamp = epoch + 1;
}

static void keep_each(uint32_t site, uint64_t size, uint32_t step, uint32_t count) {
    for (uint32_t epoch = 2; epoch < EPOCHS; epoch += step)
        keep(site, size, epoch, count);
}

static void add_freed(uint32_t site, uint64_t blocks) {
    struct tracemalloc_dump_site *entry =
        dump_maker_entry(&maker, TRACEMALLOC_DUMP_SITES, site);
    entry->total_blocks += blocks;
    entry->total_bytes += blocks * 100;
}

static uint32_t named_line(size_t line) {
    return leak_path_name(&lines.paths, lines.lines[line].named).line;
}

START_TEST(the_own_frame_is_named) {
    begin();
    uint32_t caller = dump_maker_stack(&maker, 0, app, 20);
    uint32_t inner = dump_maker_stack(&maker, caller, library, 53);
    keep_each(add_site(inner), 100, 1, 3);
    find();
    ck_assert_uint_eq(lines.count, 1);
    ck_assert_uint_eq(named_line(0), 20);
    ck_assert_uint_eq(lines.lines[0].stack, inner);
    ck_assert_uint_eq(lines.lines[0].live_blocks, 3 * (EPOCHS - 2));
    end();
}
END_TEST

/* Two callers of one line, of which one keeps what it makes. */
START_TEST(the_caller_that_keeps_is_named) {
    begin();
    uint32_t good = dump_maker_stack(&maker, 0, app, 30);
    uint32_t bad = dump_maker_stack(&maker, 0, app, 40);
    uint32_t good_helper = dump_maker_stack(&maker, good, app, 7);
    uint32_t bad_helper = dump_maker_stack(&maker, bad, app, 7);
    add_freed(add_site(good_helper), 10000);
    keep_each(add_site(bad_helper), 100, 1, 3);
    find();
    ck_assert_uint_eq(lines.count, 1);
    ck_assert_uint_eq(named_line(0), 40);
    end();
}
END_TEST

/* All callers keep as much: the innermost is named. */
START_TEST(the_innermost_of_equals_is_named) {
    begin();
    uint32_t first = dump_maker_stack(&maker, 0, app, 30);
    uint32_t second_caller = dump_maker_stack(&maker, 0, app, 40);
    keep_each(add_site(dump_maker_stack(&maker, first, app, 7)), 100, 1, 3);
    keep_each(add_site(dump_maker_stack(&maker, second_caller, app, 7)), 100, 2, 3);
    find();
    ck_assert_uint_eq(lines.count, 1);
    ck_assert_uint_eq(named_line(0), 7);
    ck_assert_uint_eq(leak_path_name(&lines.paths, lines.lines[0].caller).line, 30);
    end();
}
END_TEST

/* The lines of one object are one entry; another object's rhythm is another's. */
START_TEST(lines_in_step_are_one_entry) {
    begin();
    uint32_t first = add_site(dump_maker_stack(&maker, 0, app, 1));
    uint32_t other = add_site(dump_maker_stack(&maker, 0, app, 2));
    uint32_t apart = add_site(dump_maker_stack(&maker, 0, app, 3));
    for (uint32_t epoch = 2; epoch < EPOCHS; epoch++) {
        uint32_t count = epoch * 7 % 5;
        keep(first, 500, epoch, 2 * count);
        keep(other, 40, epoch, count);
        keep(apart, 1000, epoch, 4 - epoch % 5);
    }
    find();
    ck_assert_uint_eq(lines.count, 3);
    size_t leader = named_line(0) == 3 ? 1 : 0;
    ck_assert_uint_eq(named_line(leader), 1);
    ck_assert_uint_eq(named_line(leader + 1), 2);
    ck_assert_uint_eq(lines.lines[leader + 1].leader, leader);
    ck_assert_uint_eq(lines.lines[leader].leader, leader);
    end();
}
END_TEST

/* 3.11, which the made-up dump is of, does not say when all floats are freed. */
START_TEST(floats_alone_accuse_nobody) {
    begin();
    keep_each(add_site(dump_maker_stack(&maker, 0, app, 1)), 24, 1, 3);
    find();
    ck_assert_uint_eq(lines.count, 1);
    ck_assert_int_eq(lines.lines[0].judgement.word, LEAK_WATCH);
    end();
}
END_TEST

/* Floats beside other blocks: these accuse their line, and alone have a rate. */
START_TEST(floats_do_not_count_beside_others) {
    begin();
    uint32_t site = add_site(dump_maker_stack(&maker, 0, app, 1));
    keep_each(site, 24, 1, 30);
    keep_each(site, 100, 1, 3);
    find();
    ck_assert_uint_eq(lines.count, 1);
    ck_assert_int_eq(lines.lines[0].judgement.word, LEAK_LEAK);
    ck_assert_double_eq_tol(lines.lines[0].judgement.bytes_rate, 300, 1);
    end();
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        the_own_frame_is_named,           the_caller_that_keeps_is_named,
        the_innermost_of_equals_is_named, lines_in_step_are_one_entry,
        floats_alone_accuse_nobody,       floats_do_not_count_beside_others,
    };
    return suite_run("leak_find", tests, sizeof tests / sizeof *tests);
}
