/* SPDX-License-Identifier: MIT */
/* The pattern by which the library names its dumps, as a command passes it on. One
 * thread. */
#pragma once

#include <argp.h>
#include <stddef.h>

#include "base/compiler.h"

/* --output, wherever a command takes it. */
#define DUMP_PATTERN_HELP                                                              \
    "Name of the dumps: %p is the pid, %c the command name, %h the host, %t the "      \
    "start "                                                                           \
    "time (default: tracemalloc.%p.dump)"

/* The argument of --output, unchanged. A wrong one is a usage error and ends the
 * process. */
const char *dump_pattern_parse(const char *text, struct argp_state *state);

/* The same pattern with this command's directory in front, if it names none: the
 * program's own is another one, or will be. 0 or -ENAMETOOLONG. */
must_check int dump_pattern_make_absolute(const char *pattern, char *out, size_t size);
