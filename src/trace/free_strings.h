/* SPDX-License-Identifier: MIT */
/* Places of unused strings, in lists by size: the section of strings
 * is read from one to the next, so a place is used again as a whole.
 *
 * Under the tracer's lock, or with one thread. Memory comes from the arena. Places of
 * more than FREE_STRINGS_MAX_BYTES bytes are not kept: names are shorter.
 */
#pragma once

#include <stdint.h>

#include "base/compiler.h"

enum { FREE_STRINGS_MAX_BYTES = 4608 };

/* Empties the lists, with room for `most` places. 0, or -ENOMEM. */
must_check int free_strings_open(uint64_t max);
void free_strings_close(void);

/* `size` is what the string takes with all that belongs to it, a multiple of 4. */
void free_strings_add(uint32_t offset, uint64_t size);
/* The offset of a place of this size; 0: there is none. */
uint32_t free_strings_take(uint64_t size);
