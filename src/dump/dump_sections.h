/* SPDX-License-Identifier: MIT */
/* The sections of a dump, one row each. All code that reads, writes, checks, copies or
 * merges whole sections loops over these rows, so that a new section needs only a row.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "dump/dump_contents.h"

struct dump_section_row {
    const char *name; /* as in tracemalloc-dump(5) */
    uint32_t id;      /* enum tracemalloc_dump_section_id */
    uint32_t entry_size;
    /* Initial size in the traced process, in bytes: large enough for small programs, in
     * which the section then never grows. */
    uint32_t first_bytes;
    /* Offsets in struct dump_reader of the pointer to the entries and of their
     * count. */
    uint32_t entries_offset, count_offset;
};

/* In the order in which a live dump must be read: each section before those that it
 * refers to, so that every id refers to an entry that was read. */
extern internal const struct dump_section_row dump_sections[];

/* The row of an id. */
const struct dump_section_row *dump_sections_row(unsigned id);

/* The entries of a section in an open dump, and their count. */
static inline void **dump_sections_entries(struct dump_reader *dump,
                                           const struct dump_section_row *row) {
    return (void **)(void *)((char *)dump + row->entries_offset);
}

static inline size_t *dump_sections_count(struct dump_reader *dump,
                                          const struct dump_section_row *row) {
    return (size_t *)(void *)((char *)dump + row->count_offset);
}
