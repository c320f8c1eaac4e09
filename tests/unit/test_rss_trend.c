/* SPDX-License-Identifier: MIT */
#include "leak/rss_trend.h"

#include "opened_dump.h"
#include "suite.h"

static const uint64_t second = 1000000000;

static struct dump_maker maker;

static void add(uint64_t seconds, uint64_t rss) {
    const struct tracemalloc_dump_timeline_sample sample = {.time = seconds * second,
                                                            .rss_bytes = rss};
    dump_maker_append(&maker, TRACEMALLOC_DUMP_TIMELINE, &sample);
}

static struct rss_trend find(void) {
    struct dump_reader *reader = opened_dump_read(&maker);
    struct rss_trend trend;
    rss_trend_find(&trend, reader);
    dump_reader_close(reader);
    dump_maker_close(&maker);
    return trend;
}

START_TEST(a_slope_is_bytes_a_second) {
    dump_maker_open(&maker);
    for (uint64_t i = 0; i < 100; i++)
        add(10 * i, 1000000 + 5000 * i);
    struct rss_trend trend = find();
    ck_assert_uint_eq(trend.bytes, 1000000 + 5000 * 99);
    ck_assert_double_eq_tol(trend.rate, 500, 1e-6);
}
END_TEST

/* A program that loads a large table in its last part. */
START_TEST(one_step_is_no_slope) {
    dump_maker_open(&maker);
    for (uint64_t i = 0; i < 100; i++)
        add(i, 1000000 + (i > 80 ? 50000000 : 0));
    struct rss_trend trend = find();
    ck_assert_uint_eq(trend.bytes, 51000000);
    ck_assert_double_eq_tol(trend.rate, 0, 1e-6);
}
END_TEST

START_TEST(the_start_of_the_program_does_not_count) {
    dump_maker_open(&maker);
    for (uint64_t i = 0; i < 100; i++)
        add(i, i < 35 ? i * 1000000 : 35000000 + i);
    ck_assert_double_eq_tol(find().rate, 1, 1e-6);
}
END_TEST

START_TEST(it_may_fall) {
    dump_maker_open(&maker);
    for (uint64_t i = 0; i < 20; i++)
        add(i, 1000000 - 300 * i);
    ck_assert_double_eq_tol(find().rate, -300, 1e-6);
}
END_TEST

/* Arenas and stacks of threads grow, and traced blocks too. */
START_TEST(traced_blocks_have_their_own_slope) {
    dump_maker_open(&maker);
    for (uint64_t i = 0; i < 20; i++) {
        const struct tracemalloc_dump_timeline_sample sample = {
            .time = i * second,
            .python_bytes = 300 * i,
            .native_bytes = 100 * i,
            .rss_bytes = 1000 * i,
        };
        dump_maker_append(&maker, TRACEMALLOC_DUMP_TIMELINE, &sample);
    }
    struct rss_trend trend = find();
    ck_assert_double_eq_tol(trend.rate, 1000, 1e-6);
    ck_assert_double_eq_tol(trend.traced_rate, 400, 1e-6);
}
END_TEST

/* As it ends, the program frees what it held. */
START_TEST(the_end_of_the_program_does_not_count) {
    dump_maker_open(&maker);
    uint32_t site = dump_maker_site(&maker, 0, 0);
    dump_maker_bucket(&maker, site, 1900, 1, 0);
    for (uint64_t i = 0; i < 25; i++) {
        const struct tracemalloc_dump_timeline_sample sample = {
            .time = i * second,
            .python_bytes = i < 20 ? 100 * i : 500,
            .rss_bytes = i < 20 ? 1000 * i : 3000,
        };
        dump_maker_append(&maker, TRACEMALLOC_DUMP_TIMELINE, &sample);
    }
    struct rss_trend trend = find();
    ck_assert_uint_eq(trend.bytes, 19000);
    ck_assert_double_eq_tol(trend.rate, 1000, 1e-6);
}
END_TEST

START_TEST(one_sample_has_no_slope) {
    dump_maker_open(&maker);
    struct rss_trend trend = find();
    ck_assert_uint_eq(trend.bytes, 0);
    ck_assert_double_eq_tol(trend.rate, 0, 1e-9);
    dump_maker_open(&maker);
    add(3, 7000);
    add(3, 8000); /* at the same time */
    trend = find();
    ck_assert_uint_eq(trend.bytes, 8000);
    ck_assert_double_eq_tol(trend.rate, 0, 1e-9);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        a_slope_is_bytes_a_second,
        one_step_is_no_slope,
        the_start_of_the_program_does_not_count,
        it_may_fall,
        the_end_of_the_program_does_not_count,
        one_sample_has_no_slope,
        traced_blocks_have_their_own_slope,
    };
    return suite_run("rss_trend", tests, sizeof tests / sizeof *tests);
}
