/* SPDX-License-Identifier: MIT */
#include "merge/merged_symbols.h"

#include <errno.h>
#include <stdlib.h>

#include "tracemalloc_dump.h"

struct ordered_symbol {
    struct tracemalloc_dump_symbol symbol;
    size_t index; /* before it was sorted */
};

static int compare_numbers(uint64_t first, uint64_t second) {
    return (first > second) - (first < second);
}

static int compare(const void *first, const void *second) {
    const struct ordered_symbol *a = first, *b = second;
    int order = compare_numbers(a->symbol.module, b->symbol.module);
    if (order == 0)
        order = compare_numbers(a->symbol.address, b->symbol.address);
    return order != 0 ? order : compare_numbers(a->index, b->index);
}

int merged_symbols_sort(struct array *symbols) {
    struct tracemalloc_dump_symbol *entries = symbols->entries;
    struct ordered_symbol *order = calloc(symbols->count + 1, sizeof *order);
    if (order == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < symbols->count; i++)
        order[i] = (struct ordered_symbol){entries[i], i};
    qsort(order, symbols->count, sizeof *order, compare);
    for (size_t i = 0; i < symbols->count; i++)
        entries[i] = order[i].symbol;
    free(order);
    return 0;
}
