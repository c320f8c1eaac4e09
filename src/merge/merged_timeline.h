/* SPDX-License-Identifier: MIT */
/* The heap over time of several processes together. For offline code; allocates; one
 * thread at a time. */
#pragma once

#include <stddef.h>

#include "base/compiler.h"
#include "collection/array.h"
#include "dump/dump_reader.h"

enum { MERGED_TIMELINE_MOST = 32768 };

/* Appends the sums over the dumps at each instant that one of them has, thinned to
 * MERGED_TIMELINE_MOST points, to an array of struct tracemalloc_dump_moment. Times are
 * since the earliest start. A process holds nothing before its first point and after
 * its end. 0 or -ENOMEM. */
must_check int merged_timeline_add(struct array *timeline,
                                   struct dump_reader *const *parts, size_t count);
