/* SPDX-License-Identifier: MIT */
/* Reads -X tracemalloc[=N] from the interpreter's command line, as the interpreter
 * will. */
#pragma once

enum { X_OPTION_NOT_GIVEN = -2, X_OPTION_BAD = -1 };

/* The frames it asks for (1 without a number), 0 for none; X_OPTION_BAD when the
 * interpreter has to reject it. */
long x_option_nframe(int argc, char **argv);
