/* SPDX-License-Identifier: MIT */
/* A summary for programs: the document of `summary --json`, described in
 * tracemalloc-summary(1). For offline code; one thread at a time. */
#pragma once

#include "output/json_writer.h"
#include "show/summary.h"

/* Adds keys to the open map. */
void summary_json_add(struct json_writer *writer, const struct summary *summary);
