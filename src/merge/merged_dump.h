/* SPDX-License-Identifier: MIT */
/* Merges the dumps of several processes into one, so that every report accepts several
 * files.
 *
 * For offline code; allocates; one thread at a time. Equal names, code, stacks and
 * modules are merged; each process keeps its own sites and buckets. The counts are the
 * sums of the parts:
 *
 *   header     that of the process that started first, with the sums of all;
 *              processes are sorted by start
 *   at_exit    if a process did not reach its exit, what it held last
 *   peak       the sum of the processes' own peaks, which may not coincide
 *   nframe     the smallest limit, because lines outside a limit are uncertain
 *   timeline   the sum over the processes at each instant
 */
#pragma once

#include <stddef.h>

#include "base/compiler.h"
#include "dump/dump_reader.h"

/* Merges one or more dumps, which the caller still owns. The result must be closed with
 * dump_reader_close. 0, -ENOMEM, or -EFBIG if it would need more ids than a dump
 * has. */
must_check int merged_dump_open(struct dump_reader **merged,
                                struct dump_reader *const *parts, size_t count);
