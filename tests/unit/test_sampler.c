/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>

#include "check_run.h"
#include "dump/sample_weight.h"
#include "trace/sampler.h"

enum { DISTANCE = 1 << 16, TRIALS = 1000 };

static bool is_sampled(struct sampler *sampler, uint64_t size) {
    return sampler_is_due(sampler, size) && sampler_take(sampler, size, DISTANCE);
}

static double probability(uint64_t size) {
    return -expm1(-(double)size / DISTANCE);
}

static uint64_t uniform_size(int number) {
    return 1 + (uint64_t)number * 37 % 4096;
}

/* Powers of two, each half as often as the one before. */
static uint64_t heavy_size(int number) {
    return (uint64_t)16 << 2 * __builtin_ctz((unsigned)number + 1);
}

static uint64_t giant_size(int number) {
    return number == 500 ? (uint64_t)1 << 40 : 64;
}

/* Sums as the process keeps them, of integer weights. */
static void ck_trials(uint64_t (*size_of)(int number), int blocks) {
    double truth = 0, error = 0, deviation = 0;
    int good = 0;
    for (int i = 0; i < blocks; i++)
        truth += (double)size_of(i);
    for (int trial = 0; trial < TRIALS; trial++) {
        struct sampler sampler;
        double sum = 0, variance = 0;
        sampler_seed(&sampler, (uint64_t)trial, DISTANCE);
        for (int i = 0; i < blocks; i++) {
            uint64_t size = size_of(i);
            double p = probability(size);
            if (!is_sampled(&sampler, size))
                continue;
            sum += (double)sample_weight(size, DISTANCE);
            variance += (double)size * (double)size * (1 - p) / (p * p);
        }
        good += fabs(sum - truth) <= 3 * sqrt(variance);
        error += sum - truth;
        deviation += variance;
    }
    ck_assert_int_ge(good, 990);
    ck_assert_double_le(fabs(error), 4 * sqrt(deviation));
}

START_TEST(uniform_sizes) {
    ck_trials(uniform_size, 5000);
}
END_TEST

START_TEST(heavy_tails) {
    ck_trials(heavy_size, 60000);
}
END_TEST

START_TEST(one_giant_block) {
    ck_trials(giant_size, 100000);
}
END_TEST

/* Of each size by itself, whatever came before: alternating sizes do not matter. */
START_TEST(each_block_has_its_own_probability) {
    static const uint64_t sizes[] = {1000, 16, 65536, 300000};
    enum { ROUNDS = 200000, SIZES = 4 };
    struct sampler sampler;
    double sampled[SIZES] = {0};
    sampler_seed(&sampler, 1, DISTANCE);
    for (int i = 0; i < ROUNDS * SIZES; i++)
        sampled[i % SIZES] += is_sampled(&sampler, sizes[i % SIZES]);
    for (int i = 0; i < SIZES; i++) {
        double p = probability(sizes[i]);
        ck_assert_double_le(fabs(sampled[i] - ROUNDS * p),
                            4 * sqrt(ROUNDS * p * (1 - p)));
    }
}
END_TEST

/* Allocations of the tracer itself are not counted down, and what falls due beside a
 * block is drawn anew: the first block behind such a section is no likelier. */
START_TEST(no_bias_after_a_guarded_section) {
    enum { ROUNDS = 100000, SIZE = 4096 };
    struct sampler sampler;
    double first = 0, p = probability(SIZE);
    sampler_seed(&sampler, 2, DISTANCE);
    for (int i = 0; i < ROUNDS; i++) {
        /* Between the sections the thread allocates until it was sampled, so that the
         * section begins right behind a sample. */
        while (!is_sampled(&sampler, 1000))
            continue;
        first += is_sampled(&sampler, SIZE);
    }
    ck_assert_double_le(fabs(first - ROUNDS * p), 4 * sqrt(ROUNDS * p * (1 - p)));
}
END_TEST

/* Its first block is like any other, though there is no point yet to count down to. */
START_TEST(a_new_thread_starts_in_the_middle) {
    enum { THREADS = 20000, SIZE = 20000 };
    double first = 0, p = probability(SIZE);
    for (int i = 0; i < THREADS; i++) {
        struct sampler sampler = {0};
        first += is_sampled(&sampler, SIZE);
    }
    ck_assert_double_le(fabs(first - THREADS * p), 5 * sqrt(THREADS * p * (1 - p)));
}
END_TEST

START_TEST(a_forgotten_sampler_repeats_nothing) {
    struct sampler sampler, child;
    sampler_seed(&sampler, 3, DISTANCE);
    child = sampler;
    sampler_forget(&child);
    ck_assert(sampler_is_due(&child, 1));
    sampler_take(&child, 1, DISTANCE);
    ck_assert_uint_ne(child.random, sampler.random);
    ck_assert_uint_ne(child.left, sampler.left);
}
END_TEST

/* The real allocator refuses it, so that sampler_take is not called. */
START_TEST(an_impossible_size_counts_nothing) {
    struct sampler sampler;
    sampler_seed(&sampler, 5, DISTANCE);
    uint64_t left = sampler.left;
    ck_assert(sampler_is_due(&sampler, UINT64_MAX));
    ck_assert(sampler_is_due(&sampler, (uint64_t)INT64_MAX + 1));
    ck_assert_uint_eq(sampler.left, left);
}
END_TEST

START_TEST(blocks_of_no_bytes_are_not_sampled) {
    struct sampler sampler;
    sampler_seed(&sampler, 4, 1);
    for (int i = 0; i < 1000; i++)
        ck_assert(!sampler_is_due(&sampler, 0));
}
END_TEST

static void ck_weight(uint64_t size, uint32_t distance) {
    double exact = (double)size / -expm1(-(double)size / (double)distance);
    double weight = (double)sample_weight(size, distance);
    ck_assert_msg(fabs(weight - exact) <= 1 + exact * 1e-7, "%lu in %u: %f, not %f",
                  size, distance, weight, exact);
}

START_TEST(weights) {
    static const uint32_t distances[] = {
        1, 2, 3, 100, 1024, 65536, 1 << 19, 1234567890u >> 1, 1 << 30};
    for (size_t i = 0; i < sizeof distances / sizeof *distances; i++) {
        uint64_t distance = distances[i];
        for (uint64_t size = 1; size < distance * 50; size += size / 7 + 1)
            ck_weight(size, (uint32_t)distance);
        ck_weight(distance, (uint32_t)distance);
    }
    ck_assert_uint_eq(sample_weight((uint64_t)1 << 46, 1 << 30), (uint64_t)1 << 46);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("sampler");
    tcase_add_test(tests, uniform_sizes);
    tcase_add_test(tests, heavy_tails);
    tcase_add_test(tests, one_giant_block);
    tcase_add_test(tests, each_block_has_its_own_probability);
    tcase_add_test(tests, no_bias_after_a_guarded_section);
    tcase_add_test(tests, a_new_thread_starts_in_the_middle);
    tcase_add_test(tests, a_forgotten_sampler_repeats_nothing);
    tcase_add_test(tests, an_impossible_size_counts_nothing);
    tcase_add_test(tests, blocks_of_no_bytes_are_not_sampled);
    tcase_add_test(tests, weights);
    return check_run("sampler", tests);
}
