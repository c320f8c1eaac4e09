/* SPDX-License-Identifier: MIT */
/* Copies a dump while its process goes on writing it.
 *
 * The copy has the sections at their places, up to their counts. What refers is copied
 * before what it refers to, each section with the count of that moment: so no id in the
 * copy points past an end. The totals are those of the beginning. Offline code, one
 * thread.
 */
#pragma once

#include "base/compiler.h"
#include "process/live_dump.h"

/* Writes the copy, with the state SNAPSHOT, to an empty file; the header last, so that
 * a broken copy is no dump. 0; -EUCLEAN for a dump that claims more than its file
 * holds; -EINTR when a signal that ends the process is pending
 * (the caller blocks them); else -errno. */
must_check int snapshot_copy(struct live_dump *dump, int out);
