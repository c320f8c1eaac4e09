/* SPDX-License-Identifier: MIT */
/* Gives the tables their file. */
#pragma once

/* Creates the file that TRACEMALLOC_OUTPUT names, else one in the temporary directory,
 * and moves the tables into it. Prints one line if the dump is not where it was asked
 * for; without any file tracing goes on in memory. The lock of tracing's life is
 * held. */
void dump_output_attach(void);
