/* SPDX-License-Identifier: MIT */
/* What `check` prints, and writes for continuous integration. One thread. */
#pragma once

#include "base/compiler.h"
#include "cli/check_limits.h"

/* A table of the limits that were exceeded, or one line if none was. */
void check_output_print(const struct check_limits *limits);

/* An annotation of GitHub for each limit that was exceeded. */
void check_output_annotate(const struct check_limits *limits);

/* Writes a file of JUnit's XML with a test case for each limit. 0, or 1 after
 * failure_print. */
must_check int check_output_write(const struct check_limits *limits, const char *path);
