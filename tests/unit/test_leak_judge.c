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

/* A full cache, of which two windows happen to end with larger blocks. */
START_TEST(what_sizes_vary_by_is_no_backlog) {
    static const int risen[EPOCHS / WINDOW] = {7000, 5000, 905, 23,  72,  50,
                                               49,   50,   -87, 733, 339, 45};
    begin();
    keep_each(33, EPOCHS, 1, 16);
    history.freed_late[2] = 644;
    history.freed_late[3] = 356;
    history.total_blocks += 1000;
    for (unsigned i = 0; i < EPOCHS / WINDOW; i++)
        history.risen[i] = risen[i];
    ck_word(LEAK_NONE);
}
END_TEST

/* Each window rises, but nearly all comes in three of them. */
START_TEST(a_trend_rises_evenly) {
    begin();
    keep_each(36, EPOCHS, 1, 50);
    history.freed_late[2] = 800;
    history.freed_late[3] = 1000;
    for (unsigned i = 0; i < EPOCHS / WINDOW; i++)
        history.risen[i] = i % 4 == 2 ? 200 * SIZE : SIZE;
    ck_word(LEAK_NONE);
}
END_TEST

/* As `count` samples, of which each stands for ten blocks. */
static void sample(unsigned epoch, uint64_t count) {
    history.is_sampled = true;
    history.blocks[epoch] += count;
    history.bytes[epoch] += count * SIZE * 10;
    history.alive[epoch] += (double)count * 10;
    history.risen[epoch / WINDOW] += (int64_t)(count * SIZE * 10);
    history.total_blocks += count;
    history.estimated_blocks += (double)count * 10;
}

/* Two samples of late are a higher rate than eight, but may be chance. */
START_TEST(few_samples_are_less_sure) {
    begin();
    for (unsigned i = 8; i < EPOCHS; i += 5)
        sample(i, 1);
    struct leak_judgement many = judge();
    begin();
    sample(40, 1);
    sample(42, 1);
    struct leak_judgement few = judge();
    ck_assert_int_eq(few.word, LEAK_WATCH);
    ck_assert_double_gt(few.sure_rate, 0);
    ck_assert_double_lt(few.sure_rate, few.bytes_rate / 3);
    ck_assert_double_gt(many.sure_rate, 4 * few.sure_rate);
    ck_assert_double_lt(many.sure_rate, many.bytes_rate);
}
END_TEST

/* One sampled block that died late, of those that were old enough. */
START_TEST(one_late_death_among_samples_counts) {
    begin();
    for (unsigned i = 8; i < EPOCHS; i += 5)
        sample(i, 1);
    ck_assert_int_eq(judge().last_death, -1);
    history.freed_late[4] = 10;
    history.total_blocks++;
    history.estimated_blocks += 10;
    ck_assert_int_eq(judge().last_death, 4);
}
END_TEST

/* One caller fills a cache before, and another replaces what is in it. */
START_TEST(samples_of_one_caller_may_die_as_the_lines_others) {
    begin();
    for (unsigned i = 8; i < EPOCHS; i += 4)
        sample(i, 1);
    struct leak_history line = history;
    line.alive[0] += 200;
    ck_assert_int_eq(leak_judge(&history, &clock_time, &line).word, LEAK_LEAK);
    line.freed_late[5] = 30;
    struct leak_judgement judgement = leak_judge(&history, &clock_time, &line);
    ck_assert_int_eq(judgement.last_death, 5);
    ck_assert_int_eq(judgement.word, LEAK_NONE);
}
END_TEST

/* A list that moves: its line's few samples are kept. */
START_TEST(a_table_that_moves_hides_no_samples) {
    begin();
    for (unsigned i = 8; i < EPOCHS; i += 8)
        sample(i, 1);
    history.risen[8] += 20000;
    history.risen[9] -= 20000;
    ck_word(LEAK_WATCH);
}
END_TEST

/* How many samples a full cache has is a matter of chance. */
START_TEST(a_sampled_backlog_needs_many_samples) {
    begin();
    for (unsigned i = 33; i < EPOCHS; i++)
        sample(i, 2);
    history.freed_late[2] = history.freed_late[3] = 200;
    for (unsigned i = 0; i < EPOCHS / WINDOW; i++)
        history.risen[i] = 2 * SIZE * 10;
    ck_word(LEAK_WATCH);
    for (unsigned i = 33; i < EPOCHS; i++)
        sample(i, 20);
    for (unsigned i = 0; i < EPOCHS / WINDOW; i++)
        history.risen[i] = 40 * SIZE * 10;
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
        what_sizes_vary_by_is_no_backlog,
        a_trend_rises_evenly,
        few_samples_are_less_sure,
        one_late_death_among_samples_counts,
        samples_of_one_caller_may_die_as_the_lines_others,
        a_table_that_moves_hides_no_samples,
        a_sampled_backlog_needs_many_samples,
        a_sawtooth_is_no_backlog,
        without_time_there_is_no_word,
    };
    return suite_run("leak_judge", tests, sizeof tests / sizeof *tests);
}
