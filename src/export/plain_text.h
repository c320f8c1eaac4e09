/* SPDX-License-Identifier: MIT */
/* Converts texts of a dump for formats that allow only UTF-8: a surrogate, an invalid
 * byte or a NUL becomes \uXXXX, so that different names stay different. Pure, except
 * for the copy; any thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "dump/dump_reader.h"

enum { PLAIN_TEXT_MAX_BYTES = 8 }; /* of one code point */

/* Writes a code point as at most PLAIN_TEXT_MAX_BYTES; returns their number. */
size_t plain_text_put(char *out, uint32_t point);

/* Returns a converted copy that ends with a NUL and must be freed; NULL if there is no
 * memory. */
must_check char *plain_text_copy(struct dump_text text);
