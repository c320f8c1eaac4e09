/* SPDX-License-Identifier: MIT */
/* The dumps of several processes as one, so that every report takes several files.
 *
 * For offline code; allocates; one thread at a time. Equal names, code, stacks and
 * modules become one; sites and buckets stay apart by process. What is counted is the
 * sum of the parts:
 *
 *   header     of the process that started first, with the sums of all; the
 *              processes are in the order of their starts
 *   at_exit    of a process that did not get to its exit, what it held last
 *   peak       the sum of the processes' own peaks, which need not coincide
 *   nframe     the smallest limit, for beyond a limit no line is certain
 *   timeline   the sum over the processes at each instant
 */
#pragma once

#include <stddef.h>

#include "base/compiler.h"
#include "dump/dump_reader.h"

/* Merges one dump or more, which stay the caller's. The result is closed by
 * dump_reader_close. 0, -ENOMEM, or -EFBIG when the ids of a dump do not suffice. */
must_check int merged_dump_open(struct dump_reader **merged,
                                struct dump_reader *const *parts, size_t count);
