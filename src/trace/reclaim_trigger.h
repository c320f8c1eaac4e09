/* SPDX-License-Identifier: MIT */
/* Room for new entries of the dump's tables, and when it pays to look for old ones that
 * is unused (see trace/reclaim.h).
 *
 * That look goes over all tables, so it is wanted only where one of them is nearly
 * full, and not before as many new stacks came as an eighth of all it will look at: a
 * constant for each of them. Under the tracer's lock, or with one thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "dump/dump_file.h"

struct reclaim_trigger {
    uint64_t new_stacks; /* since the last pass, those that found no room included */
    bool requested;
};

extern struct reclaim_trigger reclaim_trigger;

/* For a new dump, and after a look. */
void reclaim_trigger_reset(void);
/* As dump_file_reserve. May want a look, and then raises the epoch: a thread that
 * begins anew has no ids in its hands. */
must_check int reclaim_trigger_reserve(struct dump_file *dump, unsigned section,
                                       uint64_t count);
