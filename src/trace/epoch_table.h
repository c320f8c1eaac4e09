/* SPDX-License-Identifier: MIT */
/* The epochs in which blocks are born: parts of the time that a process is traced, each
 * as long as the others, TRACEMALLOC_DUMP_MAX_EPOCHS at most. When there are as many,
 * each two become one.
 *
 * A new epoch raises the epoch of base/epoch.h, for the cached buckets are of births in
 * the old one, so the fast path needs no comparison of its own. Under the tracer's
 * lock, or with one thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "dump/dump_file.h"

/* The first epoch of a dump, nanoseconds. */
enum { EPOCH_TABLE_FIRST = 125000000 };

/* Begins an epoch, nanoseconds since 1970; nothing without room in the dump, and once
 * the interpreter was finalized. True: there were too many, and from now on they are
 * twice as long. */
bool epoch_table_begin(struct dump_file *dump, uint64_t start);
