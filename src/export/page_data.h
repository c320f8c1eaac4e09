/* SPDX-License-Identifier: MIT */
/* The data of a page as JSON, for src/export/page/ to read. For offline code;
 * allocates; one thread at a time.
 *
 * Numbers rather than words, for a page is sent around and is to open at once:
 *
 *   names      texts of files and functions, by number
 *   frames     file, function, line, three numbers for each frame
 *   native     numbers of the frames of native code
 *   imports    numbers of the frames of the import system
 *   sources    its line of source, by frame; absent where it was not wanted
 *   trees      calls and callers, each with
 *     parents, frames   by node; the root is its own parent
 *     entries           node and domain
 *     values            for each entry as many as there are columns (page_input.h)
 */
#pragma once

#include <stdio.h>

#include "base/compiler.h"
#include "export/page_input.h"

/* 0, -ENOMEM or -EIO. Write errors stay in the stream. */
must_check int page_data_write(const struct page_input *input, FILE *out);
