/* SPDX-License-Identifier: MIT */
/* How many frames lie between a stack and the blocks allocated inside it, which decides
 * whether the line of its frame is certain (see tracemalloc-dump(5)).
 *
 * For offline code; pure; one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "dump/dump_reader.h"
#include "profile/profile.h"

/* Whether the frame of a stack is native, named or not. */
bool inner_frames_is_native(const struct dump_reader *reader, uint32_t stack);

/* Counts, for each stack, the Python frames from its own to the innermost block that
 * was allocated inside it, both included; 0 if there is none. Only sites whose weight
 * is not 0 count; with `weights` NULL all do. `frames` has an entry per stack, all
 * 0. */
void inner_frames_count(const struct dump_reader *reader, const struct weight *weights,
                        uint32_t *frames);
