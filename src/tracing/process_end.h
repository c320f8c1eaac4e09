/* SPDX-License-Identifier: MIT */
/* The process exits, or becomes another program. Nothing is done unless the dump is
 * this process's: a child of vfork runs on its parent's memory. */
#pragma once

#include "tracemalloc_dump.h"

/* Seals the dump, with the state EXITED and an exit status, or EXEC. */
void process_end(enum tracemalloc_dump_state state, int status);
/* The same of a process that exits, for on_exit(3). */
void process_end_at_exit(int status, void *unused);
/* The exec failed: the process continues. */
void process_end_undo(void);
/* Writes the last counts, the time and the state. Under traced_process_lock. */
void process_end_seal(enum tracemalloc_dump_state state, int status);
