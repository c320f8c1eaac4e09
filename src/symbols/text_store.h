/* SPDX-License-Identifier: MIT */
/* Texts that are added to those of a dump in memory, each with an id as the dump's own
 * have.
 *
 * For offline code; allocates; one thread at a time. The ids are valid in the dump once
 * the texts were handed over to it.
 */
#pragma once

#include "base/compiler.h"
#include "collection/array.h"
#include "dump/dump_reader.h"
#include "dump/frame_names.h"

struct text_store {
    struct dump_reader *reader;
    struct array bytes; /* as in the section, to be put behind the dump's own */
    struct frame_names known;
    struct array ids; /* by number of a known text */
};

/* The dump is the caller's and outlives the store. 0 or -ENOMEM. */
must_check int text_store_open(struct text_store *store, struct dump_reader *reader);

/* The id of a new text; NULL has that of the empty one. -ENOMEM, or -EFBIG where there
 * are no more ids. */
must_check int64_t text_store_append(struct text_store *store, const char *text);

/* The same, with one id for all equal texts. The text outlives the store. */
must_check int64_t text_store_add(struct text_store *store, const char *text);

/* The id of a text that stands in the dump, the same for all that are equal to it. */
must_check int64_t text_store_know(struct text_store *store,
                                   tracemalloc_dump_string id);

/* Hands the texts over to the dump. 0 or -ENOMEM. */
must_check int text_store_install(struct text_store *store);

void text_store_close(struct text_store *store);
