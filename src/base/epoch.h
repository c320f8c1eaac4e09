/* SPDX-License-Identifier: MIT */
/* Invalidates what threads have cached from the tables: a cache is valid only in the
 * epoch in which it was filled.
 *
 * Raised, under the tracer's lock or in a process of one thread, when a cached id or
 * address may get another meaning. Never 0. */
#pragma once

#include <stdint.h>

#include "base/compiler.h"

extern internal uint32_t epoch_now;

static inline void epoch_raise(void) {
    if (++epoch_now == 0)
        epoch_now = 1;
}
