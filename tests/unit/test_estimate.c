/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check_run.h"
#include "merge/merged_dump.h"
#include "opened_dump.h"
#include "profile/estimate.h"
#include "profile/statistics.h"

enum { DISTANCE = 1 << 16, TRIALS = 1000, MAX_SIZES = 64 };

/* Blocks of a program, by size. */
struct heap {
    size_t count;
    uint64_t sizes[MAX_SIZES];
    uint32_t blocks[MAX_SIZES];
};

static struct dump_maker maker;
static uint32_t site, mapped;

static void set_up(void) {
    dump_maker_open(&maker);
    maker.header.sample_distance = DISTANCE;
    uint32_t code = dump_maker_code(&maker, "/src/app.py", "main");
    uint32_t stack = dump_maker_stack(&maker, 0, code, 10);
    site = dump_maker_site(&maker, stack, TRACEMALLOC_DUMP_DOMAIN_PYTHON);
    mapped = dump_maker_site(&maker, stack, TRACEMALLOC_DUMP_DOMAIN_MMAP);
}

static void tear_down(void) {
    dump_maker_close(&maker);
}

static struct weight total_of(enum profile_point point) {
    struct opened_dump opened;
    opened_dump_open(&opened, &maker, point);
    struct weight total = opened.profile.total;
    opened_dump_close(&opened);
    return total;
}

/* Each block by itself, by another generator than the sampler's. */
static uint32_t sample(uint64_t size, uint32_t blocks) {
    double probability = -expm1(-(double)size / DISTANCE);
    uint32_t sampled = 0;
    for (uint32_t i = 0; i < blocks; i++)
        sampled += drand48() < probability;
    return sampled;
}

static struct weight sampled_total(const struct heap *heap) {
    tear_down();
    set_up();
    for (size_t i = 0; i < heap->count; i++) {
        uint32_t sampled = sample(heap->sizes[i], heap->blocks[i]);
        if (sampled > 0)
            dump_maker_bucket(&maker, site, heap->sizes[i], sampled, 0);
    }
    return total_of(PROFILE_NOW);
}

/* Estimates are within three standard errors as often as they have to be, and as often
 * too large as too small: their mean is right. */
static void ck_trials(const struct heap *heap) {
    double size = 0, count = 0, sum = 0, count_sum = 0;
    unsigned good = 0;
    for (size_t i = 0; i < heap->count; i++) {
        size += (double)heap->sizes[i] * heap->blocks[i];
        count += heap->blocks[i];
    }
    double deviation = 0, count_squares = 0;
    for (int trial = 0; trial < TRIALS; trial++) {
        srand48(trial);
        struct weight total = sampled_total(heap);
        sum += (double)total.size;
        count_sum += (double)total.count;
        count_squares += ((double)total.count - count) * ((double)total.count - count);
        deviation += total.variance;
        good += fabs((double)total.size - size) <= 3 * weight_error(total);
    }
    ck_assert_uint_ge(good, 990);
    ck_assert_double_le(fabs(sum / TRIALS - size), 4 * sqrt(deviation) / TRIALS + 1);
    ck_assert_double_le(fabs(count_sum / TRIALS - count),
                        4 * sqrt(count_squares) / TRIALS + 1);
}

START_TEST(uniform_sizes) {
    struct heap heap = {.count = MAX_SIZES};
    for (size_t i = 0; i < MAX_SIZES; i++) {
        heap.sizes[i] = 1000 * (i + 1);
        heap.blocks[i] = 100;
    }
    ck_trials(&heap);
}
END_TEST

/* Each size four times the one before, and half as many blocks. */
START_TEST(heavy_tails) {
    struct heap heap = {.count = 12};
    for (size_t i = 0; i < heap.count; i++) {
        heap.sizes[i] = (uint64_t)16 << 2 * i;
        heap.blocks[i] = (uint32_t)40000 >> i;
    }
    ck_trials(&heap);
}
END_TEST

START_TEST(one_giant_block) {
    struct heap heap = {
        .count = 2, .sizes = {64, (uint64_t)1 << 32}, .blocks = {200000, 1}};
    ck_trials(&heap);
    struct weight total = sampled_total(&heap);
    ck_assert_uint_ge(total.size, (uint64_t)1 << 32);
}
END_TEST

START_TEST(a_small_block_stands_for_the_distance) {
    dump_maker_bucket(&maker, site, 64, 3, 0);
    struct weight total = total_of(PROFILE_NOW);
    double probability = -expm1(-64.0 / DISTANCE);
    ck_assert_double_eq_tol((double)total.size, 3 * 64 / probability, 1);
    ck_assert_double_eq_tol((double)total.count, 3 / probability, 1);
    ck_assert_double_eq_tol(weight_error(total), sqrt(3.0) * DISTANCE, 100);
    ck_assert_uint_eq(total.sampled, 3);
    ck_assert(total.estimated);
}
END_TEST

/* Scaled by their mean size these would be 2 MiB. */
START_TEST(buckets_are_scaled_before_they_are_summed) {
    dump_maker_bucket(&maker, site, 64, 1, 0);
    dump_maker_bucket(&maker, site, 4 << 20, 1, 0);
    struct weight total = total_of(PROFILE_NOW);
    ck_assert_uint_ge(total.size, (4 << 20) + DISTANCE);
    ck_assert_uint_le(total.size, (4 << 20) + DISTANCE + 64);
    ck_assert_uint_eq(total.sampled, 2);
}
END_TEST

START_TEST(large_blocks_and_mappings_are_exact) {
    dump_maker_bucket(&maker, site, 64 * DISTANCE, 2, 0);
    dump_maker_bucket(&maker, mapped, 4096, 5, 0);
    struct weight total = total_of(PROFILE_NOW);
    ck_assert_uint_eq(total.size, 128 * DISTANCE + 5 * 4096);
    ck_assert_uint_eq(total.count, 7);
    ck_assert_double_le(weight_error(total), 0.001);
}
END_TEST

/* Rounded one by one, all of these would become 2. */
START_TEST(rounding_adds_no_blocks) {
    double one = 1 / -expm1(-1.0), count = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        struct estimate sum = {.size = one * DISTANCE, .count = one, .sampled = 1};
        struct weight weight = estimate_round(&sum, i);
        ck_assert(weight.count == 1 || weight.count == 2);
        ck_assert_uint_eq(weight.count, estimate_round(&sum, i).count);
        count += (double)weight.count;
    }
    ck_assert_double_eq_tol(count, 1000 * one, 3);
}
END_TEST

START_TEST(what_was_ever_allocated_is_scaled_once) {
    struct tracemalloc_dump_site *entry =
        dump_maker_entry(&maker, TRACEMALLOC_DUMP_SITES, site);
    entry->total_bytes = 10 * DISTANCE;
    entry->total_blocks = 10 * DISTANCE / 64;
    entry->sampled_blocks = 10;
    dump_maker_bucket(&maker, site, 64, 2, 0);
    struct weight total = total_of(PROFILE_ALLOCATED);
    ck_assert_double_eq_tol((double)total.size, 12.0 * DISTANCE, 100);
    ck_assert_uint_eq(total.sampled, 12);
    ck_assert_double_eq_tol(weight_error(total), sqrt(12.0) * DISTANCE, 100);
}
END_TEST

START_TEST(an_exact_dump_is_no_estimate) {
    maker.header.sample_distance = 0;
    dump_maker_bucket(&maker, site, 64, 3, 0);
    struct weight total = total_of(PROFILE_NOW);
    ck_assert_uint_eq(total.size, 192);
    ck_assert_uint_eq(total.count, 3);
    ck_assert(!total.estimated);
    ck_assert_double_eq(weight_error(total), 0);
}
END_TEST

START_TEST(a_sampled_dump_merges_with_an_exact_one) {
    struct dump_reader *parts[2], *merged;
    struct frame_names names;
    struct profile profile;
    dump_maker_bucket(&maker, site, 64, 3, 0);
    parts[0] = opened_dump_read(&maker);
    maker.header.sample_distance = 0;
    parts[1] = opened_dump_read(&maker);
    ck_assert_int_eq(merged_dump_open(&merged, parts, 2), 0);
    ck_assert_int_eq(frame_names_open(&names), 0);
    ck_assert_int_eq(profile_open(&profile, merged, &names, PROFILE_NOW), 0);
    double scaled = 3 * 64 / -expm1(-64.0 / DISTANCE);
    ck_assert_double_eq_tol((double)profile.total.size, scaled + 192, 2);
    ck_assert_uint_eq(profile.total.sampled, 6);
    ck_assert(profile.total.estimated);
    profile_close(&profile);
    frame_names_close(&names);
    dump_reader_close(merged);
    dump_reader_close(parts[0]);
    dump_reader_close(parts[1]);
}
END_TEST

START_TEST(a_distance_that_cannot_be_is_damage) {
    maker.header.sample_distance = TRACEMALLOC_DUMP_MAX_SAMPLE_DISTANCE + 1u;
    struct dump_reader *reader = opened_dump_read(&maker);
    ck_assert(!estimate_is_needed(reader));
    ck_assert_uint_eq(reader->damaged, 1);
    dump_reader_close(reader);
}
END_TEST

/* Hostile counts must not make sums that no integer holds. */
START_TEST(estimates_stay_within_bounds) {
    struct tracemalloc_dump_bucket bucket = {
        .site = site, .size = 1, .live = UINT32_MAX, .total = UINT32_MAX};
    maker.header.sample_distance = TRACEMALLOC_DUMP_MAX_SAMPLE_DISTANCE;
    for (int i = 0; i < 5; i++)
        dump_maker_append(&maker, TRACEMALLOC_DUMP_BUCKETS, &bucket);
    ck_assert_uint_le(total_of(PROFILE_NOW).size, (uint64_t)1 << 58);
    ck_assert_uint_le(total_of(PROFILE_ALLOCATED).size, (uint64_t)1 << 63);
}
END_TEST

/* A dump that was cut off: a bucket, and no site that it could be of. */
START_TEST(an_unused_bucket_needs_no_site) {
    struct tracemalloc_dump_bucket bucket = {.size = 100};
    struct dump_reader *reader = opened_dump_read(&maker);
    size_t sites = reader->site_count;
    reader->site_count = 0;
    ck_assert(estimate_is_needed(reader));
    ck_assert_uint_eq(profile_bucket_weight(reader, &bucket, PROFILE_NOW).size, 0);
    reader->site_count = sites;
    dump_reader_close(reader);
}
END_TEST

START_TEST(texts_say_the_error) {
    char text[STATISTICS_TEXT_SIZE], error[STATISTICS_ERROR_SIZE];
    struct statistic statistic = {
        .weight = {.size = 1 << 30, .count = 3, .estimated = true},
        .size_diff = 20 << 20,
    };
    statistic.weight.variance = pow((double)(1 << 30) * 0.031, 2);
    statistic.diff_variance = pow(2.5 * (1 << 20), 2);
    statistics_format(text, &statistic, true);
    ck_assert_str_eq(text, "size=1024 MiB ±3% (+20.0 MiB ±2560 KiB), count=3 (+0), "
                           "average=341 MiB");
    statistic.weight.variance = pow((double)(1 << 30) * 0.0041, 2);
    statistics_format_error(error, statistic.weight);
    ck_assert_str_eq(error, " ±0.4%");
    statistic.weight.variance = 1;
    statistics_format_error(error, statistic.weight);
    ck_assert_str_eq(error, "");
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("estimate");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, an_unused_bucket_needs_no_site);
    tcase_add_test(tests, uniform_sizes);
    tcase_add_test(tests, heavy_tails);
    tcase_add_test(tests, one_giant_block);
    tcase_add_test(tests, a_small_block_stands_for_the_distance);
    tcase_add_test(tests, buckets_are_scaled_before_they_are_summed);
    tcase_add_test(tests, large_blocks_and_mappings_are_exact);
    tcase_add_test(tests, rounding_adds_no_blocks);
    tcase_add_test(tests, what_was_ever_allocated_is_scaled_once);
    tcase_add_test(tests, an_exact_dump_is_no_estimate);
    tcase_add_test(tests, a_sampled_dump_merges_with_an_exact_one);
    tcase_add_test(tests, a_distance_that_cannot_be_is_damage);
    tcase_add_test(tests, estimates_stay_within_bounds);
    tcase_add_test(tests, texts_say_the_error);
    return check_run("estimate", tests);
}
