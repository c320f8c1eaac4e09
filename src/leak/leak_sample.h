/* SPDX-License-Identifier: MIT */
/* What can be concluded from a few samples. Each one stands for many blocks, and their
 * number is a Poisson variable: of three lines that have one live sample each, one may
 * leak while two will free theirs. So lines are ordered by a lower bound of their
 * growth, not by its mean.
 *
 * Pure; any thread.
 */
#pragma once

#include "leak/leak_history.h"

/* A lower bound of the mean of a Poisson variable whose value was `count`: the mean is
 * less in one case of twenty. */
double leak_sample_least(double count);

/* The part of the growth shown by the survivors of these epochs that is certain. Large
 * blocks count as fewer: by chance, one of them outweighs many others. */
double leak_sample_sure_share(const struct leak_history *history, unsigned first,
                              unsigned end);

/* The probability that more samples follow, given `count` in the epochs [first, end),
 * the last one in epoch `last`. */
double leak_sample_goes_on(uint64_t count, unsigned first, unsigned last, unsigned end);

/* How many blocks a live sample stands for, on average. */
double leak_sample_blocks(const struct leak_history *history);
