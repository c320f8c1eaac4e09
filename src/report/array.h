/* SPDX-License-Identifier: MIT */
/* A growing array of entries of one size. For offline code; allocates; one thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/* With its entry_size, and otherwise zeros, an empty array. The owner frees
 * `entries`. */
struct array {
    void *entries;
    size_t count;
    size_t room;
    size_t entry_size;
};

/* Appends `count` entries. The index of the first, or -ENOMEM. */
must_check int64_t array_append(struct array *array, const void *entries, size_t count);
