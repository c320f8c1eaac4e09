/* SPDX-License-Identifier: MIT */
/* Room for new entries of the dump's tables, and when it pays to look for old ones that
 * is unused (see trace/recycle.h).
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

struct room {
    uint64_t made; /* new stacks since the last look, those without room included */
    bool wanted;
};

extern struct room room;

/* For a new dump, and after a look. */
void room_reset(void);
/* As dump_file_reserve. May want a look, and then raises the epoch: a thread that
 * begins anew has no ids in its hands. */
must_check int room_reserve(struct dump_file *dump, unsigned section, uint64_t count);
