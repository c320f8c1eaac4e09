/* SPDX-License-Identifier: MIT */
#include "symbols/symbol_units.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

/* A range of a unit. Ranges overlap only if the file is damaged. */
struct unit_range {
    Dwarf_Addr first, end; /* bias included; `first` first, for array_count_up_to */
    Dwarf_Addr bias;
    Dwarf_Die *die; /* owned by elfutils */
};

void symbol_units_open(struct symbol_units *units, Dwfl_Module *module) {
    *units = (struct symbol_units){
        .module = module,
        .ranges = {.entry_size = sizeof(struct unit_range)},
        .units = {.entry_size = sizeof(struct symbol_unit *)},
    };
}

void symbol_units_close(struct symbol_units *units) {
    struct symbol_unit **all = units->units.entries;
    for (size_t i = 0; i < units->units.count; i++) {
        symbol_unit_close(all[i]);
        free(all[i]);
    }
    free(units->units.entries);
    free(units->ranges.entries);
    id_map_clear(&units->ids);
    *units = (struct symbol_units){0};
}

static int add_ranges(struct symbol_units *units, Dwarf_Die *die, Dwarf_Addr bias) {
    Dwarf_Addr base, first, end;
    ptrdiff_t at = 0;
    while ((at = dwarf_ranges(die, at, &base, &first, &end)) > 0) {
        struct unit_range range = {first + bias, end + bias, bias, die};
        if (first < end && array_append(&units->ranges, &range, 1) < 0)
            return -ENOMEM;
    }
    return 0;
}

static int compare(const void *first, const void *second) {
    const struct unit_range *a = first, *b = second;
    return (a->first > b->first) - (a->first < b->first);
}

/* Reads the ranges of all units. Needed because not every compiler writes an index of
 * addresses. */
static int read_ranges(struct symbol_units *units) {
    Dwarf_Die *die = NULL;
    Dwarf_Addr bias;
    int error = 0;
    if (units->has_ranges)
        return 0;
    units->has_ranges = true;
    while (error == 0 && (die = dwfl_module_nextcu(units->module, die, &bias)) != NULL)
        error = add_ranges(units, die, bias);
    if (error == 0 && units->ranges.count > 0)
        qsort(units->ranges.entries, units->ranges.count, sizeof(struct unit_range),
              compare);
    return error;
}

static Dwarf_Die *find_in_ranges(const struct symbol_units *units, Dwarf_Addr address,
                                 Dwarf_Addr *bias) {
    const struct unit_range *ranges = units->ranges.entries;
    size_t end = array_count_up_to(&units->ranges, address);
    if (end == 0 || address >= ranges[end - 1].end)
        return NULL;
    *bias = ranges[end - 1].bias;
    return ranges[end - 1].die;
}

static int add_unit(struct symbol_units *units, const Dwarf_Die *die) {
    struct symbol_unit *unit = calloc(1, sizeof *unit);
    if (unit == NULL)
        return -ENOMEM;
    int error = symbol_unit_open(unit, die);
    if (error == 0 && array_append(&units->units, &unit, 1) < 0)
        error = -ENOMEM;
    if (error == 0)
        return 0;
    symbol_unit_close(unit);
    free(unit);
    return error;
}

int symbol_units_find(struct symbol_units *units, Dwarf_Addr address,
                      struct symbol_unit **unit, Dwarf_Addr *bias) {
    *unit = NULL;
    Dwarf_Die *die = dwfl_module_addrdie(units->module, address, bias);
    if (die == NULL) {
        int error = read_ranges(units);
        if (error < 0)
            return error;
        die = find_in_ranges(units, address, bias);
    }
    if (die == NULL)
        return 0;
    int64_t id = id_map_add(&units->ids, (struct id_pair){(uintptr_t)die->addr, 0});
    int error = id < 0 ? (int)id : 0;
    if (error == 0 && (size_t)id >= units->units.count)
        error = add_unit(units, die);
    if (error < 0)
        return error;
    *unit = ((struct symbol_unit **)units->units.entries)[id];
    return 0;
}
