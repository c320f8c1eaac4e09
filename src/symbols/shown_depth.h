/* SPDX-License-Identifier: MIT */
/* How many frames of each stack are written to a file. For offline code; allocates; one
 * thread at a time. */
#pragma once

#include "base/compiler.h"
#include "dump/dump_reader.h"

/* Where all stacks together have more frames than a file can well hold, as those of a
 * deep recursion in which each level has blocks, lowers the number of frames to show of
 * each, and sets `cut_frames` to it. 0 or -ENOMEM. */
must_check int shown_depth_limit(struct dump_reader *reader);
