/* SPDX-License-Identifier: MIT */
/* The native functions that allocated the blocks of each group, in reports that
 * attribute blocks to Python frames (see symbols/shown_stacks.h).
 *
 * For offline code; allocates; one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "profile/grouping.h"

/* A function of one file or module, or all the unnamed code of a module. */
struct native_detail {
    uint32_t group;
    uint32_t stack; /* any stack whose most recent frame is in the function */
    struct weight weight;
};

struct native_details {
    struct native_detail *entries; /* sorted by group, then largest first */
    size_t count;
};

/* There are no details if the report does not attribute blocks to Python frames, and
 * for cumulative groups. 0 or -ENOMEM; must be closed in both cases. */
must_check int native_details_open(struct native_details *details,
                                   const struct grouping *grouping);

void native_details_close(struct native_details *details);

/* The first detail of a group, or NULL; *count is how many there are. */
const struct native_detail *native_details_find(const struct native_details *details,
                                                uint32_t group, size_t *count);

/* The source file of a detail's function, or its module if the file is unknown. */
struct dump_text native_details_location(const struct profile *profile,
                                         const struct native_detail *detail);

/* Whether a detail stands for the interpreter's own frames. If it is the only detail of
 * a group, it says nothing new. */
bool native_details_is_interpreter(const struct profile *profile,
                                   const struct native_detail *detail);
