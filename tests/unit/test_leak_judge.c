/* SPDX-License-Identifier: MIT */
#include "leak/leak_judge.h"

#include "suite.h"

enum { EPOCHS = 48, WINDOW = 4, SIZE = 100, SECOND = 1000000000 };

static struct leak_history history;
static struct leak_time clock_time;

static void begin(void) {
    history = (struct leak_history){0};
    clock_time.count = EPOCHS;
    for (unsigned i = 0; i <= EPOCHS; i++)
        clock_time.starts[i] = (uint64_t)i * SECOND;
}

/* Blocks that were born in an epoch and live. */
static void keep(unsigned epoch, uint64_t blocks) {
    history.blocks[epoch] += blocks;
    history.bytes[epoch] += blocks * SIZE;
    history.alive[epoch] += (double)blocks;
    history.risen[epoch / WINDOW] += (int64_t)(blocks * SIZE);
    history.total_blocks += blocks;
}

static void keep_each(unsigned first, unsigned end, unsigned step, uint64_t blocks) {
    for (unsigned i = first; i < end; i += step)
        keep(i, blocks);
}

static struct leak_judgement judge(void) {
    return leak_judge(&history, &clock_time, NULL);
}

static void ck_word(enum leak_word word) {
    ck_assert_int_eq(judge().word, word);
}

START_TEST(what_is_kept_to_the_end_leaks) {
    begin();
    keep_each(2, EPOCHS, 1, 10);
    struct leak_judgement judgement = judge();
    ck_assert_int_eq(judgement.word, LEAK_LEAK);
    ck_assert_int_eq(judgement.last_death, -1);
    ck_assert_double_eq_tol(judgement.bytes_rate, 10 * SIZE, 1);
    ck_assert_double_eq_tol(judgement.blocks_rate, 10, 0.1);
}
END_TEST

/* A cache that is full: what is as old as its turnover was replaced. */
START_TEST(a_cache_that_turns_over_does_not) {
    begin();
    keep_each(30, EPOCHS, 1, 10);
    history.freed_late[4] = 300;
    history.total_blocks += 300;
    for (unsigned i = 0; i < TRACEMALLOC_DUMP_WINDOWS; i++)
        history.risen[i] = i < 4 ? 4 * 10 * SIZE : 0;
    ck_word(LEAK_NONE);
}
END_TEST

/* Nine of ten die at an age of up to three epochs; the tenth stays. */
START_TEST(a_cache_and_a_leak_on_one_line_leak) {
    begin();
    keep_each(2, EPOCHS - 3, 1, 10);
    keep_each(EPOCHS - 3, EPOCHS, 1, 100);
    history.freed_late[1] = 90 * (EPOCHS - 5);
    history.total_blocks += 90 * (EPOCHS - 5);
    struct leak_judgement judgement = judge();
    ck_assert_int_eq(judgement.word, LEAK_LEAK);
    ck_assert_int_eq(judgement.last_death, 1);
    ck_assert_uint_eq(judgement.age, 8);
    ck_assert_double_eq_tol(judgement.bytes_rate, 10 * SIZE, 1);
}
END_TEST

START_TEST(what_stopped_growing_does_not_leak) {
    begin();
    keep_each(2, 30, 1, 10);
    ck_word(LEAK_NONE);
}
END_TEST

START_TEST(a_leak_that_began_late_is_found) {
    begin();
    keep_each(25, EPOCHS, 1, 10);
    struct leak_judgement judgement = judge();
    ck_assert_int_eq(judgement.word, LEAK_LEAK);
    ck_assert_uint_eq(judgement.first, 25);
}
END_TEST

START_TEST(rare_events_leak_if_they_are_enough) {
    begin();
    keep_each(8, EPOCHS, 5, 1);
    ck_assert_uint_ge(judge().events, 8);
    ck_word(LEAK_LEAK);
    begin();
    keep_each(8, EPOCHS, 10, 1);
    ck_word(LEAK_WATCH);
    begin();
    keep_each(8, 20, 10, 1);
    ck_word(LEAK_NONE);
}
END_TEST

/* A cache of what there is only so much of. */
START_TEST(what_slows_is_watched) {
    begin();
    for (unsigned i = 8; i < EPOCHS; i++)
        keep(i, 1000u >> (i - 8) / 8);
    struct leak_judgement judgement = judge();
    ck_assert_int_eq(judgement.word, LEAK_WATCH);
    ck_assert(judgement.slows);
}
END_TEST

/* As much goes that came from another caller. */
START_TEST(a_transfer_between_callers_is_no_growth) {
    begin();
    keep_each(2, EPOCHS, 1, 10);
    struct leak_history line = history;
    for (unsigned i = 0; i < TRACEMALLOC_DUMP_WINDOWS; i++)
        line.risen[i] = i == 0 ? EPOCHS * 10 * SIZE : 0;
    ck_assert_int_eq(leak_judge(&history, &clock_time, &line).word, LEAK_NONE);
    ck_word(LEAK_LEAK);
}
END_TEST

/* A list: one old block whose bytes rise. */
START_TEST(one_block_that_grows_leaks) {
    begin();
    history.blocks[1] = 1;
    history.alive[1] = 1;
    history.bytes[1] = 12 * 800;
    for (unsigned i = 0; i < EPOCHS / WINDOW; i++)
        history.risen[i] = 800;
    struct leak_judgement judgement = judge();
    ck_assert_int_eq(judgement.word, LEAK_LEAK);
    ck_assert(judgement.is_one_block);
    ck_assert_double_eq_tol(judgement.bytes_rate, 200, 1);
}
END_TEST

/* A table that doubles once is one step. */
START_TEST(one_step_is_no_trend) {
    begin();
    history.blocks[1] = 1;
    history.alive[1] = 1;
    history.bytes[1] = 20000;
    history.risen[0] = 10000;
    history.risen[9] = 10000;
    ck_word(LEAK_NONE);
}
END_TEST

START_TEST(a_queue_that_grows_is_a_backlog) {
    begin();
    keep_each(36, EPOCHS, 1, 50);
    history.freed_late[2] = 800;
    history.freed_late[3] = 1000;
    history.total_blocks += 1800;
    for (unsigned i = 0; i < EPOCHS / WINDOW; i++)
        history.risen[i] = 50 * SIZE;
    ck_word(LEAK_BACKLOG);
}
END_TEST

START_TEST(a_sawtooth_is_no_backlog) {
    begin();
    keep_each(36, EPOCHS, 1, 50);
    history.freed_late[2] = 800;
    history.freed_late[3] = 1000;
    for (unsigned i = 0; i < EPOCHS / WINDOW; i++)
        history.risen[i] = i == 5 ? -250 * SIZE : 50 * SIZE;
    ck_word(LEAK_NONE);
}
END_TEST

START_TEST(without_time_there_is_no_word) {
    begin();
    keep_each(0, 3, 1, 10);
    clock_time.count = 3;
    ck_word(LEAK_NONE);
    clock_time.count = 0;
    ck_word(LEAK_NONE);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        what_is_kept_to_the_end_leaks,
        a_cache_that_turns_over_does_not,
        a_cache_and_a_leak_on_one_line_leak,
        what_stopped_growing_does_not_leak,
        a_leak_that_began_late_is_found,
        rare_events_leak_if_they_are_enough,
        what_slows_is_watched,
        a_transfer_between_callers_is_no_growth,
        one_block_that_grows_leaks,
        one_step_is_no_trend,
        a_queue_that_grows_is_a_backlog,
        a_sawtooth_is_no_backlog,
        without_time_there_is_no_word,
    };
    return suite_run("leak_judge", tests, sizeof tests / sizeof *tests);
}
