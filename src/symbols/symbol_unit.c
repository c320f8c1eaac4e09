/* SPDX-License-Identifier: MIT */
#include "symbols/symbol_unit.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>

enum {
    /* Bounds for damaged units, whose entries might nest without end. */
    MAX_DEPTH = 256,
    MAX_RANGES = 1 << 22,
    /* How many functions that begin before an address are tried: parts of functions do
     * not overlap unless the file is damaged. */
    MAX_CANDIDATES = 16,
};

struct range {
    Dwarf_Addr first, end;
    uint32_t scope;
};

struct function {
    Dwarf_Addr first, end; /* `first` first, for array_count_up_to */
    uint32_t scope;
    uint32_t first_range, end_range; /* of the scopes inside it */
};

static bool may_hold_functions(int tag) {
    switch (tag) {
    case DW_TAG_module:
    case DW_TAG_lexical_block:
    case DW_TAG_with_stmt:
    case DW_TAG_catch_block:
    case DW_TAG_try_block:
    case DW_TAG_entry_point:
    case DW_TAG_inlined_subroutine:
    case DW_TAG_subprogram:
    case DW_TAG_namespace:
    case DW_TAG_class_type:
    case DW_TAG_structure_type:
    case DW_TAG_union_type:
        return true;
    default:
        return false;
    }
}

static int add_ranges(struct symbol_unit *unit, Dwarf_Die *die, uint32_t scope) {
    Dwarf_Addr base, first, end;
    ptrdiff_t at = 0;
    while ((at = dwarf_ranges(die, at, &base, &first, &end)) > 0) {
        struct range range = {first, end, scope};
        if (unit->ranges.count == MAX_RANGES)
            return 0;
        if (first < end && array_append(&unit->ranges, &range, 1) < 0)
            return -ENOMEM;
    }
    return 0;
}

/* Adds the ranges of a function with its own machine code, to be found by address. */
static int add_functions(struct symbol_unit *unit, uint32_t scope, size_t first,
                         size_t own_end) {
    for (size_t i = first; i < own_end; i++) {
        const struct range *range = (const struct range *)unit->ranges.entries + i;
        struct function function = {range->first, range->end, scope, (uint32_t)first,
                                    (uint32_t)unit->ranges.count};
        if (array_append(&unit->functions, &function, 1) < 0)
            return -ENOMEM;
    }
    return 0;
}

static int add_children(struct symbol_unit *unit, Dwarf_Die *die, uint32_t outer,
                        unsigned depth);

static int add_scope(struct symbol_unit *unit, Dwarf_Die *die, uint32_t outer,
                     unsigned depth) {
    uint32_t number = (uint32_t)unit->scopes.count;
    size_t first = unit->ranges.count;
    bool inlined = dwarf_tag(die) == DW_TAG_inlined_subroutine;
    struct symbol_scope scope = {*die, inlined ? outer : SYMBOL_SCOPE_NONE, inlined};
    if (array_append(&unit->scopes, &scope, 1) < 0)
        return -ENOMEM;
    int error = add_ranges(unit, die, number);
    size_t own_end = unit->ranges.count;
    if (error == 0)
        error = add_children(unit, die, number, depth);
    if (error == 0 && !inlined)
        error = add_functions(unit, number, first, own_end);
    return error;
}

static int add_entry(struct symbol_unit *unit, Dwarf_Die *die, uint32_t outer,
                     unsigned depth) {
    int tag = dwarf_tag(die);
    if (tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine)
        return add_scope(unit, die, outer, depth);
    return may_hold_functions(tag) ? add_children(unit, die, outer, depth) : 0;
}

static int add_children(struct symbol_unit *unit, Dwarf_Die *die, uint32_t outer,
                        unsigned depth) {
    Dwarf_Die child;
    if (depth == MAX_DEPTH || dwarf_child(die, &child) != 0)
        return 0;
    int error;
    do
        error = add_entry(unit, &child, outer, depth + 1);
    while (error == 0 && dwarf_siblingof(&child, &child) == 0);
    return error;
}

static int compare(const void *first, const void *second) {
    const struct function *a = first, *b = second;
    return (a->first > b->first) - (a->first < b->first);
}

int symbol_unit_open(struct symbol_unit *unit, const Dwarf_Die *die) {
    *unit = (struct symbol_unit){
        .die = *die,
        .scopes = {.entry_size = sizeof(struct symbol_scope)},
        .ranges = {.entry_size = sizeof(struct range)},
        .functions = {.entry_size = sizeof(struct function)},
    };
    int error = add_children(unit, &unit->die, SYMBOL_SCOPE_NONE, 0);
    if (error == 0 && unit->functions.count > 0)
        qsort(unit->functions.entries, unit->functions.count, sizeof(struct function),
              compare);
    return error;
}

void symbol_unit_close(struct symbol_unit *unit) {
    free(unit->scopes.entries);
    free(unit->ranges.entries);
    free(unit->functions.entries);
    *unit = (struct symbol_unit){0};
}

/* Outer scopes come before inner ones: the last that contains the address is
 * innermost. */
static const struct symbol_scope *find_inner(const struct symbol_unit *unit,
                                             const struct function *function,
                                             Dwarf_Addr address) {
    const struct symbol_scope *scopes = unit->scopes.entries;
    const struct range *ranges = unit->ranges.entries;
    for (size_t i = function->end_range; i-- > function->first_range;)
        if (ranges[i].first <= address && address < ranges[i].end)
            return &scopes[ranges[i].scope];
    return NULL;
}

const struct symbol_scope *symbol_unit_find(const struct symbol_unit *unit,
                                            Dwarf_Addr address) {
    const struct function *functions = unit->functions.entries;
    size_t end = array_count_up_to(&unit->functions, address);
    for (size_t i = end; i > 0 && end - i < MAX_CANDIDATES; i--)
        if (address < functions[i - 1].end)
            return find_inner(unit, &functions[i - 1], address);
    return NULL;
}

const struct symbol_scope *symbol_unit_outer(const struct symbol_unit *unit,
                                             const struct symbol_scope *scope) {
    const struct symbol_scope *scopes = unit->scopes.entries;
    return scope->outer == SYMBOL_SCOPE_NONE ? NULL : &scopes[scope->outer];
}
