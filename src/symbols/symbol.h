/* SPDX-License-Identifier: MIT */
/* The name of a native frame. For offline code; data. */
#pragma once

#include <stdint.h>

/* A native frame. The texts belong to the table; NULL if unknown. */
struct symbol {
    const char *function; /* demangled */
    const char *filename;
    uint32_t line; /* 0 if unknown */
};

/* The most frames at one address; no real program has more. */
enum { SYMBOLS_MAX_INLINED = 64 };
