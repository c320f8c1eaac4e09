/* SPDX-License-Identifier: MIT */
/* Text for glob(3). Pure functions; any thread. */
#pragma once

#include <stddef.h>

/* Appends text to the string `out`, escaped so that it matches itself. Text that does
 * not fit into `size` bytes is cut. */
void glob_text_append(char *out, size_t size, const char *text);

/* Appends a pattern that matches every name that a TRACEMALLOC_OUTPUT pattern can yield
 * (see control/options.h). */
void glob_text_append_pattern(char *out, size_t size, const char *pattern);
