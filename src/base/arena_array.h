/* SPDX-License-Identifier: MIT */
/* Growing arrays in the arena, of entries of the caller's own type.
 *
 *   static struct entry *entries;
 *   static uint32_t capacity;
 *
 *   error = arena_array_reserve(&entries, &capacity, count + 1, sizeof *entries);
 *
 * NULL with a capacity of 0 is the empty array, which needs no releasing. Not locked:
 * the caller sees to that, and knows that growing may move the array.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/* Makes the capacity at least `wanted`, by doubling, so that appending is amortised
 * O(1); an empty array begins with one page. `entries` is the address of the pointer to
 * the array. New entries are zero. 0; or -ENOMEM, and array and capacity are
 * unchanged. */
must_check int arena_array_reserve(void *entries, uint32_t *capacity, uint64_t wanted,
                                   size_t entry_size);
/* Unmaps the array: it is empty afterwards. */
void arena_array_release(void *entries, uint32_t *capacity, size_t entry_size);
