/* SPDX-License-Identifier: MIT */
#include "symbols/symbol_table.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

struct symbol_table_entry {
    GElf_Addr first, end; /* `first` first, for array_count_up_to */
    GElf_Addr max_end;    /* of this entry and those before it */
    const char *name;
    unsigned rank; /* among symbols with the same range, the highest is used */
};

static unsigned rank_of(const GElf_Sym *symbol) {
    switch (GELF_ST_BIND(symbol->st_info)) {
    case STB_GLOBAL:
        return 2;
    case STB_WEAK:
        return 1;
    default:
        return 0;
    }
}

static bool is_code(const GElf_Sym *symbol, const char *name) {
    int type = GELF_ST_TYPE(symbol->st_info);
    return name != NULL && *name != '\0' && symbol->st_size > 0 &&
           symbol->st_shndx != SHN_UNDEF && type != STT_TLS && type != STT_SECTION &&
           type != STT_FILE;
}

/* Among entries with the same start, larger ranges come first, then lower ranks: the
 * last one is innermost. */
static int compare(const void *first, const void *second) {
    const struct symbol_table_entry *a = first, *b = second;
    if (a->first != b->first)
        return a->first < b->first ? -1 : 1;
    if (a->end != b->end)
        return a->end > b->end ? -1 : 1;
    return (a->rank > b->rank) - (a->rank < b->rank);
}

static void sort(struct symbol_table *table) {
    struct symbol_table_entry *entries = table->entries.entries;
    GElf_Addr max_end = 0;
    if (table->entries.count == 0)
        return;
    qsort(entries, table->entries.count, sizeof *entries, compare);
    for (size_t i = 0; i < table->entries.count; i++) {
        max_end = entries[i].end > max_end ? entries[i].end : max_end;
        entries[i].max_end = max_end;
    }
}

int symbol_table_open(struct symbol_table *table, Dwfl_Module *module) {
    *table = (struct symbol_table){
        .entries = {.entry_size = sizeof(struct symbol_table_entry)}};
    int count = dwfl_module_getsymtab(module);
    for (int i = 1; i < count; i++) {
        GElf_Sym symbol;
        GElf_Addr address;
        const char *name =
            dwfl_module_getsym_info(module, i, &symbol, &address, NULL, NULL, NULL);
        if (!is_code(&symbol, name))
            continue;
        struct symbol_table_entry entry = {address, address + symbol.st_size, 0, name,
                                           rank_of(&symbol)};
        if (entry.end > address && array_append(&table->entries, &entry, 1) < 0)
            return -ENOMEM;
    }
    sort(table);
    return 0;
}

void symbol_table_close(struct symbol_table *table) {
    free(table->entries.entries);
    *table = (struct symbol_table){0};
}

const char *symbol_table_find(const struct symbol_table *table, GElf_Addr address) {
    const struct symbol_table_entry *entries = table->entries.entries;
    for (size_t i = array_count_up_to(&table->entries, address);
         i > 0 && entries[i - 1].max_end > address; i--)
        if (entries[i - 1].end > address)
            return entries[i - 1].name;
    return NULL;
}
