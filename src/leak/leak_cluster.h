/* SPDX-License-Identifier: MIT */
/* Lines whose survivors are born in step, as those of one object are. For offline code;
 * one thread at a time. */
#pragma once

#include "leak/leak_lines.h"

/* Whether two lines' survivors are born in step. */
bool leak_cluster_is_one(const struct leak_line *first, const struct leak_line *second);

/* Sorts the lines: each entry's leader first, which carries the most bytes; verdicts
 * first among the leaders, then the worst. 0 or -ENOMEM. */
must_check int leak_cluster(struct leak_lines *lines);
