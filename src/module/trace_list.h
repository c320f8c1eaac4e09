/* SPDX-License-Identifier: MIT */
/* The list that _tracemalloc._get_traces() returns: one tuple for each live block.
 *
 * For callers that hold the GIL, outside of hooks. Blocks share objects: the tuple of a
 * bucket, the traceback of a stack, the pair of a name and a line. So a million blocks
 * cost little more than the million entries of the list.
 */
#pragma once

#include <stdbool.h>

#include "module/dump_view.h"

/* has_total: tuples end with the number of all frames, as from 3.9 on. A new reference,
 * or NULL with an exception set. */
void *trace_list_make(const struct dump_view *view, bool has_total);
