/* SPDX-License-Identifier: MIT */
/* Limits how many frames of each stack are written to a file. For offline code;
 * allocates; one thread at a time. */
#pragma once

#include "base/compiler.h"
#include "dump/dump_reader.h"

/* If all stacks together have too many frames for a file, as in a deep recursion in
 * which each level holds blocks, lowers the header's nframe and sets `cut_frames` to
 * it. 0 or -ENOMEM. */
must_check int shown_depth_limit(struct dump_reader *reader);
