/* SPDX-License-Identifier: MIT */
/* File names of one or more dumps, each text with one number, so that frames of several
 * dumps compare as numbers.
 *
 * For offline code; allocates; one thread at a time. The texts are not copied: they
 * belong to dump_reader, which is closed after the table.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "dump/dump_contents.h"

/* Names of frames that no code stands behind; in every table. */
enum {
    FRAME_NAMES_UNKNOWN = 0,  /* `<unknown>`, the frame of an empty stack */
    FRAME_NAMES_OVERFLOW = 1, /* `<overflow>` */
};

struct frame_names {
    struct dump_text *texts; /* by id */
    size_t count;
    size_t capacity;
    uint32_t *slots; /* id + 1, 0 where free; twice `capacity` of them */
};

must_check int frame_names_open(struct frame_names *table);

/* The id of a text, new or known; -ENOMEM. */
must_check int64_t frame_names_add(struct frame_names *table, struct dump_text text);

void frame_names_close(struct frame_names *table);
