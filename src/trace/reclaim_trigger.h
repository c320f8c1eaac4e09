/* SPDX-License-Identifier: MIT */
/* Reserves entries of the dump's tables, and requests a reclaim pass (trace/reclaim.h)
 * if that is worth while.
 *
 * A reclaim pass scans every table. It is requested only if a table is nearly full and
 * the new stacks since the last pass exceed an eighth of the entries to scan: amortised
 * O(1) per stack. Under the tracer's lock, or with one thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "dump/dump_file.h"

struct reclaim_trigger {
    uint64_t new_stacks; /* since the last pass, also those that did not fit */
    bool requested;
};

extern struct reclaim_trigger reclaim_trigger;

/* For a new dump, and after a pass. */
void reclaim_trigger_reset(void);
/* As dump_file_reserve. If it requests a pass it raises the epoch: a thread that then
 * finds its stack of an older epoch holds no ids, and runs the pass. */
must_check int reclaim_trigger_reserve(struct dump_file *dump, unsigned section,
                                       uint64_t count);
