/* SPDX-License-Identifier: MIT */
/* The header of a merged dump: sums and limits of its parts (see report/merged_dump.h).
 * For offline code; pure; any thread. */
#pragma once

#include "dump/dump_reader.h"

/* The header of the first part, its sums at 0; the ids of its texts are for the caller
 * to replace. */
void merged_header_begin(struct dump_reader *out, const struct dump_reader *first);

/* Adds the sums of a part, the first one too. */
void merged_header_add(struct tracemalloc_dump_header *sum,
                       const struct tracemalloc_dump_header *part);
