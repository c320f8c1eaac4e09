/* SPDX-License-Identifier: MIT */
/* Whether the library came by dlopen into a process that already ran, rather than by
 * LD_PRELOAD, and where that process's own functions are.
 *
 * A preloaded library is ahead of libc for all objects, so that RTLD_NEXT leads from
 * our functions to those behind them. One that comes late is behind them: what the
 * other objects call is what the program's global scope has. Outside hooks.
 */
#pragma once

#include <stdbool.h>

#include "base/compiler.h"

extern internal bool loaded_late;

/* From the constructor, before any hook is called. */
void loaded_late_detect(void);

/* The function that the program's objects call by this name; NULL without one outside
 * this library. */
void *loaded_late_find(const char *name);

/* Functions of malloc's family that the executable itself defines: its own calls of
 * them go through no table. */
unsigned loaded_late_bypassed(void);
