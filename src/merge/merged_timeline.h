/* SPDX-License-Identifier: MIT */
/* The heap over time of several processes together. For offline code; allocates; one
 * thread at a time. */
#pragma once

#include <stddef.h>

#include "base/compiler.h"
#include "collection/array.h"
#include "dump/dump_reader.h"

enum { MERGED_TIMELINE_MAX_SAMPLES = 32768 };

/* Appends struct tracemalloc_dump_timeline_sample to an array: the sums over all dumps
 * at each instant sampled in any of them, thinned to MERGED_TIMELINE_MAX_SAMPLES. Times
 * count from the earliest start. A process holds nothing before its first sample and
 * after its end. 0 or -ENOMEM. */
must_check int merged_timeline_add(struct array *timeline,
                                   struct dump_reader *const *parts, size_t count);
