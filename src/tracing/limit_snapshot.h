/* SPDX-License-Identifier: MIT */
/* Writes copies of the dump before memory runs out, at the thresholds of
 * TRACEMALLOC_SNAPSHOT_AT.
 *
 * A copy has the dump's name and `.at-80` for 80 %, and a census of types. What that
 * takes is known before, and if so much is not left below the limit, it is not done.
 */
#pragma once

/* Begins to watch, if the options have thresholds. Under traced_process_lock, with the
 * dump's header filled in. */
void limit_snapshot_open(void);
/* Ends that. */
void limit_snapshot_close(void);
