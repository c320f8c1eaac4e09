/* SPDX-License-Identifier: MIT */
/* The header of a merged dump: sums and limits of its parts (see merge/merged_dump.h).
 * For offline code; pure; any thread. */
#pragma once

#include "dump/dump_reader.h"

/* Copies the header of the first part, with all sums 0. The caller must replace the
 * string ids. */
void merged_header_begin(struct dump_reader *out, const struct dump_reader *first);

/* Adds the sums of a part; must be called for the first one too. */
void merged_header_add(struct tracemalloc_dump_header *sum,
                       const struct tracemalloc_dump_header *part);
