/* SPDX-License-Identifier: MIT */
/* Gives out again what only dead code used: stacks, sites, code objects and names, so
 * that a program which makes new code for ever does not fill the dump.
 *
 *   a stack stays     where its code object and all its callers' live, or where it, or
 *                     one that it leads to, holds blocks now, at exit or at the peak
 *   else it goes      what it ever allocated is added to the nearest caller that stays
 *
 * So sums over all stacks stay what they were. Under the tracer's lock, or with one
 * thread, and only where no thread has an id of a stack in its hands: all that it
 * remembers is of an older epoch then. A process that is killed meanwhile leaves a dump
 * in which some sum may count twice, but no id that leads nowhere.
 */
#pragma once

#include "base/id_set.h"
#include "dump/dump_file.h"

/* What is remembered of stacks elsewhere. */
struct reclaim_callbacks {
    /* Removes the ids of all code objects that live. */
    void (*mark_live_codes)(struct id_set *codes);
    /* These stacks are no more. */
    void (*forget_stacks)(const struct id_set *stacks);
};

/* Raises the epoch. Nothing is given back without memory for the sets, and once the
 * interpreter was finalized. */
void reclaim(struct dump_file *dump, const struct reclaim_callbacks *callbacks);
