/* SPDX-License-Identifier: MIT */
/* Copies a dump while its process keeps writing it.
 *
 * The copy has the same extents, up to the counts. Each section is copied before those
 * that it refers to, with the count of that time, so that every id in the copy refers
 * to an entry. The totals are those from the beginning of the copy. Offline code, one
 * thread.
 */
#pragma once

#include "base/compiler.h"
#include "process/live_dump.h"

/* Writes the copy, with state SNAPSHOT, to an empty file, the header last, so that an
 * incomplete copy is not a dump. 0; -EUCLEAN if the dump claims more than its file
 * contains; -EINTR if a signal that would end the command is pending (the caller blocks
 * them); else -errno. */
must_check int snapshot_copy(struct live_dump *dump, int out);
