/* SPDX-License-Identifier: MIT */
/* The texts of a dump as code points, and back.
 *
 * Texts are UTF-8 in which a lone surrogate is encoded like any other code point, as
 * Python's "surrogatepass" does. A byte that is no such text stands for the surrogate
 * U+DC00 + byte, as in Python's "surrogateescape": so every sequence of bytes has a
 * meaning. Pure functions; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { UNICODE_MAX_BYTES = 4 }; /* of one code point */

/* The code point at *at, which moves on by its 1 to 4 bytes. *at < end. */
uint32_t unicode_next(const char **at, const char *end);

/* Writes a code point, surrogates as well, as at most UNICODE_MAX_BYTES; returns their
 * number. */
size_t unicode_put(char *out, uint32_t point);

static inline bool unicode_is_surrogate(uint32_t point) {
    return point >= 0xd800 && point <= 0xdfff;
}

/* Whether the bytes are UTF-8 as others know it: no surrogates. */
bool unicode_is_valid(const char *bytes, size_t length);
