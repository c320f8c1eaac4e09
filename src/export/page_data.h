/* SPDX-License-Identifier: MIT */
/* Writes the data of a page as JSON, which src/export/page/data.js reads. For offline
 * code; allocates; one thread at a time.
 *
 * Most of it is numbers, so that a page is small and opens quickly:
 *
 *   names      texts of files and functions, by number
 *   frames     file, function, line, three numbers for each frame
 *   native     numbers of the frames of native code
 *   imports    numbers of the frames of the import system
 *   sources    line of source code, by frame; absent if not requested
 *   trees      calls and callers, each with
 *     parents, frames   by node; the root is its own parent
 *     entries           node and domain
 *     values            for each entry, one for each column (see page_input.h)
 *     births            entry, epoch, and the bytes and blocks at each point in time:
 *                       what the entry holds that was born then; not in a comparison
 *   growing    what `leaks` names, the worst first, each with
 *     entry             as in `leaks --json`
 *     times             when the epochs of its process begin, and the end, in
 *                       milliseconds since the dump's start
 *     alive             by epoch: how many blocks that were born then live now
 *   epochs     when each begins and ends, in milliseconds since the dump's start
 */
#pragma once

#include <stdio.h>

#include "base/compiler.h"
#include "export/page_input.h"

/* 0, -ENOMEM or -EIO. Write errors are left in the stream. */
must_check int page_data_write(const struct page_input *input, FILE *out);
