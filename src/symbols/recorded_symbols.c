/* SPDX-License-Identifier: MIT */
#include "symbols/recorded_symbols.h"

#include <errno.h>
#include <stdlib.h>

#include "collection/array.h"
#include "collection/id_map.h"
#include "merge/merged_symbols.h"
#include "symbols/dump_symbols.h"
#include "symbols/text_store.h"

struct recording {
    struct dump_reader *reader;
    struct dump_symbols symbols;
    struct text_store texts;
    struct id_map addresses; /* by module and address */
    struct array entries;    /* struct tracemalloc_dump_symbol */
    struct recorded_counts *counts;
};

static bool is_before(const struct tracemalloc_dump_symbol *symbol, uint32_t module,
                      uint64_t address) {
    if (symbol->module != module)
        return symbol->module < module;
    return symbol->address < address;
}

static bool is_at(const struct tracemalloc_dump_symbol *symbol, uint32_t module,
                  uint64_t address) {
    return symbol->module == module && symbol->address == address;
}

size_t recorded_symbols_find(const struct dump_reader *reader, uint32_t module,
                             uint64_t address,
                             const struct tracemalloc_dump_symbol **symbols) {
    size_t low = 0, high = reader->symbol_count, count = 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (is_before(&reader->symbols[middle], module, address))
            low = middle + 1;
        else
            high = middle;
    }
    *symbols = reader->symbols + low;
    while (count < SYMBOLS_MAX_INLINED && low + count < reader->symbol_count &&
           is_at(&(*symbols)[count], module, address))
        count++;
    return count;
}

static bool is_text(const struct dump_reader *reader, tracemalloc_dump_string id) {
    return dump_reader_text(reader, id).length > 0;
}

bool recorded_symbols_have_name(const struct dump_reader *reader,
                                const struct tracemalloc_dump_symbol *symbols,
                                size_t count) {
    return count > 1 || (count == 1 && (is_text(reader, symbols->function) ||
                                        is_text(reader, symbols->filename)));
}

static int add_entry(struct recording *recording, uint32_t module, uint64_t address,
                     const struct symbol *symbol) {
    int64_t function = text_store_add(&recording->texts, symbol->function);
    int64_t filename = text_store_add(&recording->texts, symbol->filename);
    if (function < 0 || filename < 0)
        return (int)(function < 0 ? function : filename);
    struct tracemalloc_dump_symbol entry = {.module = module,
                                            .function = (uint32_t)function,
                                            .filename = (uint32_t)filename,
                                            .line = symbol->line,
                                            .address = address};
    return array_append(&recording->entries, &entry, 1) < 0 ? -ENOMEM : 0;
}

static int look_up(struct recording *recording, uint32_t module, uint64_t address) {
    struct symbol_list list;
    int error = dump_symbols_find(&recording->symbols, module, address, &list);
    for (size_t i = 0; i < list.count && error == 0; i++)
        error = add_entry(recording, module, address, &list.frames[i]);
    if (error == 0 && list.count == 0)
        error = add_entry(recording, module, address, &(struct symbol){0});
    recording->counts->named += list.count > 0;
    return error;
}

static int keep_entries(struct recording *recording,
                        const struct tracemalloc_dump_symbol *entries, size_t count) {
    int64_t id = 0;
    for (size_t i = 0; i < count && id >= 0; i++) {
        id = text_store_know(&recording->texts, entries[i].function);
        if (id >= 0)
            id = text_store_know(&recording->texts, entries[i].filename);
    }
    if (id < 0)
        return (int)id;
    return array_append(&recording->entries, entries, count) < 0 ? -ENOMEM : 0;
}

static int record(struct recording *recording, uint32_t module, uint64_t address) {
    size_t next_id = recording->addresses.count;
    int64_t id = id_map_add(&recording->addresses, (struct id_pair){module, address});
    if (id < 0 || (size_t)id < next_id)
        return id < 0 ? (int)id : 0;
    const struct tracemalloc_dump_symbol *before;
    size_t count = recorded_symbols_find(recording->reader, module, address, &before);
    recording->counts->addresses++;
    if (!recorded_symbols_have_name(recording->reader, before, count))
        return look_up(recording, module, address);
    recording->counts->named++;
    return keep_entries(recording, before, count);
}

static int record_stacks(struct recording *recording) {
    const struct dump_reader *reader = recording->reader;
    int error = 0;
    for (size_t id = 0; id < reader->stack_count && error == 0; id++) {
        const struct tracemalloc_dump_stack *node = &reader->stacks[id];
        if ((node->code & TRACEMALLOC_DUMP_NATIVE) != 0)
            error = record(recording, node->code & ~TRACEMALLOC_DUMP_NATIVE,
                           (uint64_t)node->high << 32 | node->line);
    }
    return error;
}

static int install(struct recording *recording) {
    struct dump_reader *reader = recording->reader;
    int error = merged_symbols_sort(&recording->entries);
    if (error == 0)
        error = text_store_install(&recording->texts);
    if (error < 0)
        return error;
    free((void *)reader->symbols);
    reader->symbols = recording->entries.entries;
    reader->symbol_count = recording->entries.count;
    recording->entries.entries = NULL;
    return 0;
}

int recorded_symbols_fill(struct dump_reader *reader, struct symbols *symbols,
                          struct recorded_counts *counts) {
    struct recording recording = {
        .reader = reader,
        .entries = {.entry_size = sizeof(struct tracemalloc_dump_symbol)},
        .counts = counts,
    };
    *counts = (struct recorded_counts){0};
    int error = text_store_open(&recording.texts, reader);
    if (error == 0)
        error = dump_symbols_open(&recording.symbols, reader, symbols);
    if (error == 0)
        error = record_stacks(&recording);
    if (error == 0)
        error = install(&recording);
    dump_symbols_close(&recording.symbols);
    free(recording.entries.entries);
    id_map_clear(&recording.addresses);
    text_store_close(&recording.texts);
    return error;
}
