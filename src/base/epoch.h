/* SPDX-License-Identifier: MIT */
/* What threads remember of the tables is of one epoch: raised, under the tracer's lock
 * or with one thread, when an id or an address that they remember may mean something
 * else from now on. Never 0. */
#pragma once

#include <stdint.h>

#include "base/compiler.h"

extern internal uint32_t epoch_now;

static inline void epoch_raise(void) {
    if (++epoch_now == 0)
        epoch_now = 1;
}
