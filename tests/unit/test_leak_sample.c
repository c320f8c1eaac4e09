/* SPDX-License-Identifier: MIT */
#include "leak/leak_sample.h"

#include "suite.h"

/* The exact limits are 0.051, 1.366 and 84.1. */
START_TEST(the_least_mean_is_that_of_a_poisson_variable) {
    ck_assert_double_eq_tol(leak_sample_least(0), 0, 1e-9);
    ck_assert_double_eq_tol(leak_sample_least(1), 0.05, 0.02);
    ck_assert_double_eq_tol(leak_sample_least(4), 1.37, 0.02);
    ck_assert_double_eq_tol(leak_sample_least(100), 84.1, 0.2);
}
END_TEST

START_TEST(a_large_sample_counts_as_few) {
    struct leak_history even = {.blocks = {1, 1, 1, 1}, .bytes = {9, 9, 9, 9}};
    struct leak_history large = {.blocks = {1, 1, 1, 1}, .bytes = {9, 9, 900, 9}};
    double share = leak_sample_sure_share(&even, 0, 4);
    ck_assert_double_eq_tol(share, leak_sample_least(4) / 4, 1e-9);
    ck_assert_double_lt(leak_sample_sure_share(&large, 0, 4), share / 4);
    ck_assert_double_eq_tol(leak_sample_sure_share(&even, 4, 8), 0, 1e-9);
}
END_TEST

START_TEST(a_gap_at_the_end_is_doubt) {
    ck_assert_double_eq_tol(leak_sample_goes_on(10, 0, 39, 40), 1, 1e-9);
    double short_gap = leak_sample_goes_on(10, 0, 37, 40);
    double long_gap = leak_sample_goes_on(10, 0, 19, 40);
    ck_assert_double_gt(short_gap, 0.85);
    ck_assert_double_lt(long_gap, 0.02);
    /* The same gap says little after two samples. */
    ck_assert_double_gt(leak_sample_goes_on(2, 0, 19, 40), 0.4);
}
END_TEST

START_TEST(a_sample_stands_for_many_blocks) {
    struct leak_history history = {.blocks = {1, 3}, .alive = {10, 30}};
    ck_assert_double_eq_tol(leak_sample_blocks(&history), 10, 1e-9);
    struct leak_history none = {0};
    ck_assert_double_eq_tol(leak_sample_blocks(&none), 1, 1e-9);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        the_least_mean_is_that_of_a_poisson_variable,
        a_large_sample_counts_as_few,
        a_gap_at_the_end_is_doubt,
        a_sample_stands_for_many_blocks,
    };
    return suite_run("leak_sample", tests, sizeof tests / sizeof *tests);
}
