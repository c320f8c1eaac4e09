/* SPDX-License-Identifier: MIT */
/* Which native functions the blocks of each group were allocated in, where a block
 * belongs to its frame of Python (see report/shown_stacks.h).
 *
 * For offline code; allocates; one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "profile/grouping.h"

/* A function of one file or module, or all code of a module that has no name. */
struct native_detail {
    uint32_t group;
    uint32_t stack; /* a node of the function, on any line */
    struct weight weight;
};

struct native_details {
    struct native_detail *entries; /* by group, in a group the largest first */
    size_t count;
};

/* None where the dump was shown otherwise, and of cumulative groups. 0 or -ENOMEM;
 * to be closed in both cases. */
must_check int native_details_open(struct native_details *details,
                                   const struct grouping *grouping);

void native_details_close(struct native_details *details);

/* The first of a group, and how many there are. */
const struct native_detail *native_details_find(const struct native_details *details,
                                                uint32_t group, size_t *count);

/* The file that a detail's function was written in; where that is not known, its
 * module. */
struct dump_text native_details_location(const struct profile *profile,
                                         const struct native_detail *detail);

/* Whether a detail is of the interpreter's folded frames: where it is the only one,
 * it is what a reader expects. */
bool native_details_is_interpreter(const struct profile *profile,
                                   const struct native_detail *detail);
