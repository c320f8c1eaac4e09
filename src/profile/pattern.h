/* SPDX-License-Identifier: MIT */
/* File name patterns as Python's fnmatch knows them, as tracemalloc.Filter uses it.
 *
 * `*` matches everything, also `/`; `?` one character; `[seq]` and `[!seq]` one of or
 * none of a set, in which `a-z` is a range; a `[` without an end matches itself. There
 * is no escape character. Pure; any thread. The time is at most the product of the two
 * lengths.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

bool pattern_matches(const char *pattern, size_t pattern_length, const char *text,
                     size_t length);
