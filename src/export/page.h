/* SPDX-License-Identifier: MIT */
/* Writes the page of `tracemalloc flamegraph`: one HTML file that needs no other file.
 *
 * For offline code; allocates; one thread at a time. The scripts of the page are
 * bundled from src/export/page/ by the build if Node is installed; otherwise the
 * command is built without the page.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/compiler.h"
#include "export/page_options.h"

/* Whether this build has the page. */
bool page_is_built(void);

/* Writes the page. 0, -ENOMEM, -EFBIG if there is more data than a page can hold,
 * -ENODATA for the exit of a program that was not finalized, -ENOENT for a domain that
 * no dump has, or -EIO if writing the JSON failed. Write errors are left in the stream.
 */
must_check int page_write(const struct page_options *options, FILE *out);
