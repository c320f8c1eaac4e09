/* SPDX-License-Identifier: MIT */
#include "symbols/dump_symbols.h"

#include <errno.h>
#include <stdlib.h>

int dump_symbols_open(struct dump_symbols *symbols, const struct dump_reader *reader,
                      struct symbols *table) {
    *symbols = (struct dump_symbols){
        .reader = reader,
        .symbols = table,
        .modules = calloc(reader->module_count + 1, sizeof *symbols->modules)};
    return symbols->modules == NULL ? -ENOMEM : 0;
}

void dump_symbols_close(struct dump_symbols *symbols) {
    free(symbols->modules);
    *symbols = (struct dump_symbols){0};
}

int dump_symbols_find(struct dump_symbols *symbols, uint32_t module, uint64_t address,
                      struct symbol_list *list) {
    const struct dump_reader *reader = symbols->reader;
    const struct tracemalloc_dump_module *entry = &reader->modules[module];
    struct symbol_module **cached = &symbols->modules[module];
    struct dump_text path = dump_reader_text(reader, entry->path);
    *list = (struct symbol_list){0};
    if (symbols->symbols == NULL || path.length == 0)
        return 0;
    int error = 0;
    if (*cached == NULL)
        error = symbols_module(symbols->symbols, path,
                               dump_reader_text(reader, entry->build_id), cached);
    return error < 0 ? error : symbols_find(symbols->symbols, *cached, address, list);
}
