/* SPDX-License-Identifier: MIT */
#include "dump/dump_sections.h"

#define ENTRIES(field)                                                                 \
    .entry_size = sizeof *((struct dump_reader *)0)->field,                            \
    .entries_offset = offsetof(struct dump_reader, field)
#define COUNT(field) .count_offset = offsetof(struct dump_reader, field)

const struct dump_section_row dump_sections[] = {
    {"timeline", TRACEMALLOC_DUMP_TIMELINE, ENTRIES(timeline), COUNT(timeline_count)},
    {"census", TRACEMALLOC_DUMP_CENSUS, ENTRIES(census), COUNT(census_count)},
    {"types", TRACEMALLOC_DUMP_TYPES, ENTRIES(types), COUNT(type_count)},
    {"buckets", TRACEMALLOC_DUMP_BUCKETS, ENTRIES(buckets), COUNT(bucket_count),
     .first_bytes = 160 << 10},
    {"sites", TRACEMALLOC_DUMP_SITES, ENTRIES(sites), COUNT(site_count),
     .first_bytes = 256 << 10},
    {"epochs", TRACEMALLOC_DUMP_EPOCHS, ENTRIES(epochs), COUNT(epoch_count),
     .first_bytes = 4 << 10},
    {"processes", TRACEMALLOC_DUMP_PROCESSES, ENTRIES(processes), COUNT(process_count)},
    {"domains", TRACEMALLOC_DUMP_DOMAINS, ENTRIES(domains), COUNT(domain_count),
     .first_bytes = 4 << 10},
    {"stacks", TRACEMALLOC_DUMP_STACKS, ENTRIES(stacks), COUNT(stack_count),
     .first_bytes = 128 << 10},
    {"symbols", TRACEMALLOC_DUMP_SYMBOLS, ENTRIES(symbols), COUNT(symbol_count)},
    {"modules", TRACEMALLOC_DUMP_MODULES, ENTRIES(modules), COUNT(module_count),
     .first_bytes = 4 << 10},
    {"code", TRACEMALLOC_DUMP_CODE, ENTRIES(code), COUNT(code_count),
     .first_bytes = 32 << 10},
    {"strings", TRACEMALLOC_DUMP_STRINGS, ENTRIES(strings), COUNT(string_bytes),
     .first_bytes = 64 << 10},
};
static_assert(sizeof dump_sections / sizeof *dump_sections ==
                  TRACEMALLOC_DUMP_SECTIONS_USED,
              "each section of the enum has a row");
static_assert((int)TRACEMALLOC_DUMP_SECTIONS_USED <= (int)TRACEMALLOC_DUMP_SECTIONS,
              "the header has a description of each");

const struct dump_section_row *dump_sections_row(unsigned id) {
    const struct dump_section_row *row = dump_sections;
    while (row->id != id)
        row++;
    return row;
}
