/* SPDX-License-Identifier: MIT */
/* Numbers the file names of one or more dumps, so that frames of several dumps can be
 * compared as numbers.
 *
 * For offline code; allocates; one thread at a time. The texts are not copied: the
 * dump_reader that owns them must outlive the table.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "dump/dump_contents.h"

/* Names in every table, for frames without code. */
enum {
    FRAME_NAMES_UNKNOWN = 0,  /* `<unknown>`, the frame of an empty stack */
    FRAME_NAMES_OVERFLOW = 1, /* `<overflow>` */
};

struct frame_names {
    struct dump_text *texts; /* by id */
    size_t count;
    size_t capacity;
    uint32_t *slots; /* id + 1, or 0 if free; 2 * capacity of them */
};

must_check int frame_names_open(struct frame_names *table);

/* Returns the id of a text, which is added if it is new; or -ENOMEM. */
must_check int64_t frame_names_add(struct frame_names *table, struct dump_text text);

void frame_names_close(struct frame_names *table);
