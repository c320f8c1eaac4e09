/* SPDX-License-Identifier: MIT */
/* Decodes the texts of a dump into code points, and encodes them.
 *
 * Texts are UTF-8 in which a lone surrogate is encoded like any other code point, as by
 * Python's "surrogatepass". An invalid byte is decoded as the surrogate U+DC00 + byte,
 * as by Python's "surrogateescape", so that every sequence of bytes can be decoded.
 * Pure functions; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { UNICODE_MAX_BYTES = 4 }; /* of one code point */

/* Returns the code point at *at, and advances *at past its 1 to 4 bytes. *at < end. */
uint32_t unicode_next(const char **at, const char *end);

/* Encodes a code point, surrogates included, in at most UNICODE_MAX_BYTES. Returns the
 * number of bytes. */
size_t unicode_put(char *out, uint32_t point);

static inline bool unicode_is_surrogate(uint32_t point) {
    return point >= 0xd800 && point <= 0xdfff;
}

/* Whether the bytes are standard UTF-8, without surrogates. */
bool unicode_is_valid(const char *bytes, size_t length);
