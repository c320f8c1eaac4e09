/* SPDX-License-Identifier: MIT */
/* Texts of a dump for formats that hold UTF-8 and no more: what is none, and a NUL, is
 * written as \uXXXX, so that different names stay different. Pure, but for the copy;
 * any thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "dump/dump_reader.h"

enum { PLAIN_TEXT_MAX_BYTES = 8 }; /* of one code point */

/* Writes a code point as at most PLAIN_TEXT_MAX_BYTES; returns their number. */
size_t plain_text_put(char *out, uint32_t point);

/* A copy with a NUL at its end, to be freed; NULL without memory. */
must_check char *plain_text_copy(struct dump_text text);
