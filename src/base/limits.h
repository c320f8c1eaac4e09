/* SPDX-License-Identifier: MIT */
/* Limits that both towers share: of the frames of a traceback. Pure; any thread. */
#pragma once

#include <stdint.h>

/* CPython's own: it counts the frames of a traceback in 16 bits, and so does a request
 * (control/request.h). Macros, because help texts and messages name them. */
#define MAX_NFRAME 65535
#define DEFAULT_NFRAME 25
#define DEFAULT_NATIVE_NFRAME 30

_Static_assert(MAX_NFRAME == UINT16_MAX, "a limit on frames fits in 16 bits");
_Static_assert(DEFAULT_NFRAME <= MAX_NFRAME && DEFAULT_NATIVE_NFRAME <= MAX_NFRAME,
               "the defaults are within the limit");

#define LIMITS_QUOTE(value) #value
#define LIMITS_TEXT(limit) LIMITS_QUOTE(limit)
/* The limits as string literals. */
#define MAX_NFRAME_TEXT LIMITS_TEXT(MAX_NFRAME)
#define DEFAULT_NFRAME_TEXT LIMITS_TEXT(DEFAULT_NFRAME)
#define DEFAULT_NATIVE_NFRAME_TEXT LIMITS_TEXT(DEFAULT_NATIVE_NFRAME)

/* How many frames of a stack are shown: the innermost ones, up to the limit. */
static inline uint32_t limits_window(uint32_t depth, uint32_t nframe) {
    return depth < nframe ? depth : nframe;
}
