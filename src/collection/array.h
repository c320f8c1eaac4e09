/* SPDX-License-Identifier: MIT */
/* Growing arrays of entries of one size. For offline code; allocates; one thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/* With its entry_size, and otherwise zeros, an empty array. The owner frees
 * `entries`. */
struct array {
    void *entries;
    size_t count;
    size_t capacity;
    size_t entry_size;
};

/* The same for an array of its own type: `entries` is the address of the pointer to it.
 * Room for `wanted` entries, the new ones not set. 0; or -ENOMEM, and all is as it
 * was. */
must_check int array_reserve(void *entries, size_t *capacity, size_t wanted,
                             size_t entry_size);

/* Appends `count` entries. The index of the first, or -ENOMEM. */
must_check int64_t array_append(struct array *array, const void *entries, size_t count);
