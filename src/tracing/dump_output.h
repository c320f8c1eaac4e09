/* SPDX-License-Identifier: MIT */
/* Creates the dump file and moves the tables into it. */
#pragma once

/* Tries the name of TRACEMALLOC_OUTPUT, then the temporary directories. Prints one line
 * if the dump is not where it was asked for. Without any file tracing continues in
 * memory. Under traced_process_lock. */
void dump_output_attach(void);
