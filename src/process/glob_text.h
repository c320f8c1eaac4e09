/* SPDX-License-Identifier: MIT */
/* Text for glob(3). Pure functions; any thread. */
#pragma once

#include <stddef.h>

/* Appends text to the string `out`, each character standing for itself. What does not
 * fit into `size` bytes is cut. */
void glob_text_append(char *out, size_t size, const char *text);

/* Appends what matches each name that a pattern of TRACEMALLOC_OUTPUT makes (see
 * control/options.h). */
void glob_text_append_pattern(char *out, size_t size, const char *pattern);
