/* SPDX-License-Identifier: MIT */
/* Finds the function that holds most of a line which several functions share: a `def`
 * on one line, a comprehension and the function around it, generated code.
 *
 * For offline code; allocates; one thread at a time.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "collection/id_map.h"
#include "profile/profile.h"

/* What one function holds of a line. */
struct function_share {
    uint32_t line;  /* the number that the caller gave it */
    uint32_t stack; /* the lowest id among those that end in the function */
    struct weight weight;
};

/* Empty when all zeros. */
struct function_shares {
    struct id_map ids;
    struct function_share *shares;
    size_t count;
    size_t capacity;
};

/* Adds what a stack holds of a line; `function` is any number that identifies the
 * function. 0 or -ENOMEM. */
must_check int function_shares_add(struct function_shares *shares, uint32_t line,
                                   uint32_t function, uint32_t stack,
                                   struct weight weight);

/* Sorts the shares, largest last: the last share of a line is its largest. Nothing may
 * be added afterwards. */
void function_shares_sort(struct function_shares *shares);

void function_shares_close(struct function_shares *shares);
