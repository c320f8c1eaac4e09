/* SPDX-License-Identifier: MIT */
/* What few samples can say. Each one stands for many blocks, and how many were taken
 * is a matter of chance (a Poisson variable): of three lines of which one sample each
 * lives, one may leak, and two did not free a block in time. So lines are ordered by
 * the least that their samples make likely, not by the mean.
 *
 * Pure; any thread.
 */
#pragma once

#include "leak/leak_history.h"

/* The mean of a Poisson variable of which `count` were seen: it is less for one in
 * twenty. */
double leak_sample_least(double count);

/* By which part of what survivors of these epochs say the bytes grow at least. Large
 * blocks count as fewer: one of them outweighs many others by chance. */
double leak_sample_sure_share(const struct leak_history *history, unsigned first,
                              unsigned end);

/* The probability that more come, of `count` samples of these epochs. */
double leak_sample_goes_on(uint64_t count, unsigned first, unsigned last, unsigned end);

/* The blocks that a live sample of these stands for. */
double leak_sample_blocks(const struct leak_history *history);
