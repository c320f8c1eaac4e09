/* SPDX-License-Identifier: MIT */
/* The last sample of the timeline that says what a program held. While it ends, it
 * frees its memory, and the samples of that say little. */
#pragma once

#include <stddef.h>

#include "dump/dump_contents.h"

/* The number of samples, from the first, up to and with the last one that has at least
 * nine tenths of the bytes that were live at the end, or before the interpreter was
 * finalized. 0 if there is none. Of a merged dump: all. */
size_t last_sample_find(const struct dump_reader *reader);
