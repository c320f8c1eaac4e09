/* SPDX-License-Identifier: MIT */
/* Reads -X tracemalloc[=N] from the interpreter's command line, just as the interpreter
 * will. errno is unchanged. */
#pragma once

enum { X_OPTION_NOT_GIVEN = -2, X_OPTION_BAD = -1 };

/* The frames that the option asks for, 1 without a number, 0 for none; X_OPTION_BAD if
 * the interpreter has to reject it. */
long x_option_nframe(int argc, char **argv);
/* A number of frames, 0 for none, as CPython reads it: by strtol, base 10.
 * X_OPTION_BAD if the text is none. */
long x_option_read_nframe(const char *text);
