/* SPDX-License-Identifier: MIT */
/* Adds texts to the strings of a dump in memory.
 *
 * For offline code; allocates; one thread at a time. The ids are valid in the dump
 * after text_store_install.
 */
#pragma once

#include "base/compiler.h"
#include "collection/array.h"
#include "dump/dump_reader.h"
#include "dump/frame_names.h"

struct text_store {
    struct dump_reader *reader;
    struct array bytes; /* to append to the section of strings */
    struct frame_names known;
    struct array ids; /* uint32_t: string id, by number in `known` */
};

/* The dump belongs to the caller and must outlive the store. 0 or -ENOMEM. */
must_check int text_store_open(struct text_store *store, struct dump_reader *reader);

/* Adds a text and returns its id; for NULL, that of the empty text. -ENOMEM, or -EFBIG
 * if there are no more ids. */
must_check int64_t text_store_append(struct text_store *store, const char *text);

/* The same, but equal texts get the same id. The text must outlive the store. */
must_check int64_t text_store_add(struct text_store *store, const char *text);

/* Returns one id for all strings of the dump that are equal to this one. */
must_check int64_t text_store_know(struct text_store *store,
                                   tracemalloc_dump_string id);

/* Appends the texts to the dump's strings. 0 or -ENOMEM. */
must_check int text_store_install(struct text_store *store);

void text_store_close(struct text_store *store);
