/* SPDX-License-Identifier: MIT */
/* The sections of a dump, one row each. Whoever reads, writes, checks, copies or merges
 * whole sections loops over these rows, so that a new section is a row here.
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
    /* Bytes that the section has in a process from the start: enough for a small
     * program, so that it never grows there. */
    uint32_t first_bytes;
    /* In struct dump_reader: the pointer to the entries, and their number. */
    uint32_t entries_offset, count_offset;
};

/* In the order of reading a dump that changes meanwhile: what refers comes before what
 * it refers to, so that nothing refers to an entry too new to be seen. */
extern internal const struct dump_section_row dump_sections[];

/* The row of an id. */
const struct dump_section_row *dump_sections_row(unsigned id);

/* Where an opened dump keeps the section's entries, and how many there are. */
static inline void **dump_sections_entries(struct dump_reader *dump,
                                           const struct dump_section_row *row) {
    return (void **)(void *)((char *)dump + row->entries_offset);
}

static inline size_t *dump_sections_count(struct dump_reader *dump,
                                          const struct dump_section_row *row) {
    return (size_t *)(void *)((char *)dump + row->count_offset);
}
