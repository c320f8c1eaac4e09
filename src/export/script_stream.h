/* SPDX-License-Identifier: MIT */
/* A stream for JSON in a script element of an HTML page.
 *
 * For offline code; allocates; one thread at a time. The output is ASCII without `<`,
 * so that no text of a dump can end the element, begin a comment, or contain a
 * character that HTML does not allow. Such characters occur only in strings of the
 * JSON, where they become \uXXXX.
 */
#pragma once

#include <stdio.h>

#include "base/compiler.h"

/* Writes to `out`, which stays open and records write errors. Must be closed by fclose;
 * NULL if there is no memory. */
must_check FILE *script_stream_open(FILE *out);
