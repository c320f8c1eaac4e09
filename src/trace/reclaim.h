/* SPDX-License-Identifier: MIT */
/* Reclaims the stacks, sites, code objects and names that only dead code used, so that
 * a program that creates code for ever does not fill the dump.
 *
 *   a stack is live   if its code object and those of all its callers are alive, or if
 *                     it or one of its callees has blocks now, at exit or at the peak
 *   else it is freed  and its totals are added to its nearest live caller
 *
 * So the sums over all stacks are unchanged. Under the tracer's lock, or with one
 * thread, at a point where no event is using the id of a stack; all caches are of an
 * older epoch afterwards. If the process is killed during a pass, the dump may count
 * some totals twice, but has no id without an entry.
 */
#pragma once

#include "base/id_set.h"
#include "dump/dump_file.h"

/* The caches of stacks outside trace/. */
struct reclaim_callbacks {
    /* Removes the ids of all live code objects from `codes`. */
    void (*mark_live_codes)(struct id_set *codes);
    /* Drops these stacks from the caches. */
    void (*forget_stacks)(const struct id_set *stacks);
};

/* A reclaim pass over all tables. Raises the epoch. Frees nothing if there is no memory
 * for its sets or the runtime has started finalizing. */
void reclaim(struct dump_file *dump, const struct reclaim_callbacks *callbacks);
