/* SPDX-License-Identifier: MIT */
/* Reads -X tracemalloc[=N] from the interpreter's command line, as the interpreter will. */
#pragma once

/* The frames it asks for (1 without a number); 0 when it is not given or asks for none; -1 when the interpreter has
 * to reject it. */
long x_option_nframe(int argc, char **argv);
