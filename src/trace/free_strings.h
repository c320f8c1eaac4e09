/* SPDX-License-Identifier: MIT */
/* Free slots of the strings section, in lists by size.
 *
 * A reader walks the section from one string to the next, so a slot is never split.
 * Under the tracer's lock, or with one thread. Memory comes from the arena. Slots of
 * more than FREE_STRINGS_MAX_BYTES are not listed: names are shorter.
 */
#pragma once

#include <stdint.h>

#include "base/compiler.h"

enum { FREE_STRINGS_MAX_BYTES = 4608 };

/* Empties the lists and gives them a capacity of `max` slots. 0, or -ENOMEM. */
must_check int free_strings_open(uint64_t max);
void free_strings_close(void);

/* `size`: bytes of the slot, a multiple of 4. */
void free_strings_add(uint32_t offset, uint64_t size);
/* Takes a slot of exactly this size. Its offset; 0 if there is none. */
uint32_t free_strings_take(uint64_t size);
