/* SPDX-License-Identifier: MIT */
/* The page of `tracemalloc flamegraph`: one HTML file that holds all it needs.
 *
 * For offline code; allocates; one thread at a time. The program of the page is made
 * from src/export/page/ while building, where Node is at hand; a build without it has
 * no page.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/compiler.h"
#include "export/page_options.h"

/* Whether this build has the page. */
bool page_is_built(void);

/* Writes the page. 0, -ENOMEM, -EFBIG for more than a page can hold, -ENODATA for the
 * exit of a program that was not finalized, -ENOENT for a domain that no dump knows, or
 * -EIO where the JSON could not be made. Write errors stay in the stream. */
must_check int page_write(const struct page_options *options, FILE *out);
