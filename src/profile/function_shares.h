/* SPDX-License-Identifier: MIT */
/* Which function holds most of a line that several functions share: a `def` on one
 * line, a comprehension and the function around it, generated code.
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
    uint32_t line;  /* the caller's number of it */
    uint32_t stack; /* the first of those that end in the function */
    struct weight weight;
};

/* All zeros: no shares. */
struct function_shares {
    struct id_map ids;
    struct function_share *shares;
    size_t count;
    size_t room;
};

/* Adds what a stack holds of a line; `function` is any number that tells functions
 * apart. 0 or -ENOMEM. */
must_check int function_shares_add(struct function_shares *shares, uint32_t line,
                                   uint32_t function, uint32_t stack,
                                   struct weight weight);

/* Puts the shares in order, the largest last, so that the last share of a line is the
 * one that counts. Nothing can be added afterwards. */
void function_shares_sort(struct function_shares *shares);

void function_shares_close(struct function_shares *shares);
