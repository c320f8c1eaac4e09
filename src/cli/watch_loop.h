/* SPDX-License-Identifier: MIT */
/* How `watch` follows a directory: on the full screen of a terminal, or with a line for
 * each change. One thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct watch_options {
    const char *path;
    uint64_t interval; /* nanoseconds between two rounds, at least */
    size_t limit;      /* rows printed with --once */
    bool once, json;
    bool waits; /* for the first dump */
};

/* Returns the exit status. */
must_check int watch_loop_run(const struct watch_options *options);
