/* SPDX-License-Identifier: MIT */
/* A stream for JSON that stands in a script element of an HTML page.
 *
 * For offline code; allocates; one thread at a time. What is written comes out as plain
 * ASCII without `<`: no text of a dump can end the element, begin a comment, or be a
 * character that HTML does not allow. All of that can stand only in strings of the
 * JSON, where it becomes \uXXXX.
 */
#pragma once

#include <stdio.h>

#include "base/compiler.h"

/* Writes to `out`, which stays open and keeps the write errors. To be closed by fclose;
 * NULL without memory. */
must_check FILE *script_stream_open(FILE *out);
