/* SPDX-License-Identifier: MIT */
/* What `watch --json` prints, described in tracemalloc-watch(1). For offline code; one
 * thread at a time. */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "base/compiler.h"
#include "leak/leak_report.h"
#include "show/watch_report.h"

/* Prints a dump as a document in one line; `reader` and `report` are NULL if it cannot
 * be read. 0, -ENOMEM or -EIO. */
must_check int watch_json_print(FILE *out, const struct watch_row *row, uint64_t time,
                                const struct dump_reader *reader,
                                const struct leak_report *report);
