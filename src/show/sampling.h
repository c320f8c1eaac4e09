/* SPDX-License-Identifier: MIT */
/* How a dump was sampled, in words. For offline code; pure; any thread. */
#pragma once

#include <stdbool.h>

#include "dump/dump_reader.h"

enum { SAMPLING_TEXT_SIZE = 120 };

/* `sampled, one in 512 KiB`; of several processes also `2 of 3 processes sampled, ...`.
 * False, and no text, where every block was recorded. */
bool sampling_describe(const struct dump_reader *reader, char text[SAMPLING_TEXT_SIZE]);

/* Whether all processes of the dump sampled in the same way; `*distance` is theirs in
 * bytes, 0 for none. */
bool sampling_is_uniform(const struct dump_reader *reader, uint32_t *distance);
