/* SPDX-License-Identifier: MIT */
/* What the unit tests share: the main function's work, and random numbers that are the
 * same in each run.
 *
 * Check runs each test in a process of its own, so a test finds the statics of a module
 * as they were at the start. */
#pragma once

#include <check.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "check_run.h"

/* The exit status of the test program. */
static inline int suite_run(const char *name, const TTest *const *tests, size_t count) {
    TCase *cases = tcase_create(name);
    for (size_t at = 0; at < count; at++)
        tcase_add_test(cases, tests[at]);
    return check_run(name, cases);
}

/* Check 0.15 has no result "skipped": the reason goes to the output. */
static inline void suite_skip(const char *reason) {
    printf("skipped: %s\n", reason);
}

/* xorshift64 (Marsaglia, Xorshift RNGs, 2003); the state must not be 0. */
static inline uint32_t random_below(uint64_t *state, uint32_t bound) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (uint32_t)((*state >> 32) % bound);
}
