/* SPDX-License-Identifier: MIT */
/* What one frame of native code is called. For offline code; data. */
#pragma once

#include <stdint.h>

/* A frame of native code. The texts are the table's, NULL where unknown. */
struct symbol {
    const char *function; /* demangled */
    const char *filename;
    uint32_t line; /* 0 where unknown */
};

/* Frames at one address: more is no program's doing. */
enum { SYMBOLS_MAX_INLINED = 64 };
