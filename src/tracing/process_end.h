/* SPDX-License-Identifier: MIT */
/* The process ends, or becomes another program. Only where the dump is this process's:
 * a child of vfork runs on its parent's memory. */
#pragma once

#include "tracemalloc_dump.h"

/* Seals the dump: state EXITED with an exit status, or EXEC. */
void process_end(enum tracemalloc_dump_state state, int status);
/* The exec failed: the process goes on. */
void process_end_undo(void);
/* Writes the last counts, the time and the state. The lock of tracing's life is
 * held. */
void process_end_seal(enum tracemalloc_dump_state state, int status);
