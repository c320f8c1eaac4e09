/* SPDX-License-Identifier: MIT */
/* File name patterns in the syntax of Python's fnmatch, which tracemalloc.Filter uses.
 *
 * `*` matches any text, `/` included; `?` matches one character; `[seq]` and `[!seq]`
 * match one character that is in the set, or is not; `a-z` in a set is a range; a `[`
 * without a `]` matches itself. There is no escape character. Pure; any thread. The
 * time is at most the product of the two lengths.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

bool pattern_matches(const char *pattern, size_t pattern_length, const char *text,
                     size_t length);
