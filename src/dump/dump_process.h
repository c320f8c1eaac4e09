/* SPDX-License-Identifier: MIT */
/* Whether the process that a dump is of still runs.
 *
 * For offline code, any thread, no locks; reads /proc.
 */
#pragma once

#include <stdbool.h>

#include "tracemalloc_dump.h"

/* True as well for a process of another boot, and for one that nobody waited for. A pid
 * comes back, so the time of its start must be the header's. */
bool dump_process_is_gone(const struct tracemalloc_dump_header *header);
