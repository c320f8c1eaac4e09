/* SPDX-License-Identifier: MIT */
/* Growing arrays of entries of one size. For offline code; allocates; one thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/* Empty if all fields but entry_size are 0. The owner frees `entries`. */
struct array {
    void *entries;
    size_t count;
    size_t capacity;
    size_t entry_size;
};

/* Makes room for `wanted` entries of an array of any type; `entries` is the address of
 * the pointer to it. New entries are uninitialised. 0; or -ENOMEM, and nothing is
 * changed. */
must_check int array_reserve(void *entries, size_t *capacity, size_t wanted,
                             size_t entry_size);

/* Appends `count` entries. Returns the index of the first, or -ENOMEM. */
must_check int64_t array_append(struct array *array, const void *entries, size_t count);

/* Returns how many entries have a key up to `key`, by binary search. The entries must
 * be sorted, and begin with the key, a uint64_t. */
size_t array_count_up_to(const struct array *array, uint64_t key);
