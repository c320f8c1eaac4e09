/* SPDX-License-Identifier: MIT */
#include "symbols/symbol_scope.h"

#include <dwarf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "symbols/symbol_name.h"

/* Damaged entries might refer to each other in cycles. */
enum { MAX_SCOPES = 16 };

/* The name may be in another entry, to which this one refers. */
static const char *mangled_name(Dwarf_Die *function) {
    Dwarf_Attribute attribute;
    Dwarf_Attribute *found =
        dwarf_attr_integrate(function, DW_AT_linkage_name, &attribute);
    if (found == NULL)
        found = dwarf_attr_integrate(function, DW_AT_MIPS_linkage_name, &attribute);
    return found == NULL ? NULL : dwarf_formstring(found);
}

/* In C, functions have no enclosing scopes. */
static bool has_scopes(Dwarf_Die *function) {
    Dwarf_Die unit;
    if (dwarf_diecu(function, &unit, NULL, NULL) == NULL)
        return false;
    switch (dwarf_srclang(&unit)) {
    case DW_LANG_C89:
    case DW_LANG_C:
    case DW_LANG_C99:
    case DW_LANG_C11:
    case DW_LANG_Mips_Assembler:
        return false;
    default:
        return true;
    }
}

/* Follows references to the entry of the declaration. */
static Dwarf_Die declaration_of(Dwarf_Die *entry) {
    Dwarf_Die found = *entry;
    for (int i = 0; i < MAX_SCOPES; i++) {
        Dwarf_Attribute attribute;
        if (dwarf_attr(&found, DW_AT_abstract_origin, &attribute) == NULL &&
            dwarf_attr(&found, DW_AT_specification, &attribute) == NULL)
            break;
        if (dwarf_formref_die(&attribute, &found) == NULL)
            return *entry;
    }
    return found;
}

static bool is_scope(int tag) {
    return tag == DW_TAG_namespace || tag == DW_TAG_class_type ||
           tag == DW_TAG_structure_type || tag == DW_TAG_union_type ||
           tag == DW_TAG_subprogram;
}

/* Finds the enclosing namespace, class or function. */
static bool find_parent(Dwarf_Die *entry, Dwarf_Die *parent) {
    Dwarf_Die *scopes = NULL;
    bool found = false;
    int count = dwarf_getscopes_die(entry, &scopes);
    for (int i = 1; i < count && !found; i++) {
        found = is_scope(dwarf_tag(&scopes[i]));
        *parent = scopes[i];
    }
    free(scopes);
    return found;
}

static const char *plain_name(Dwarf_Die *entry) {
    const char *name = dwarf_diename(entry);
    if (name != NULL)
        return name;
    return dwarf_tag(entry) == DW_TAG_namespace ? "(anonymous namespace)"
                                                : "(anonymous)";
}

/* Prepends the names of the enclosing scopes to that of an entry. */
static char *whole_name(Dwarf_Die *entry) {
    Dwarf_Die at = declaration_of(entry), parent;
    char *name = strdup(plain_name(&at));
    for (int i = 0; i < MAX_SCOPES && name != NULL && find_parent(&at, &parent); i++) {
        char *longer = NULL;
        at = declaration_of(&parent);
        if (asprintf(&longer, "%s::%s", plain_name(&at), name) < 0)
            longer = NULL;
        free(name);
        name = longer;
    }
    return name;
}

char *symbol_scope_name(Dwarf_Die *function) {
    const char *name = mangled_name(function);
    if (name != NULL)
        return symbol_name_copy(name);
    name = dwarf_diename(function);
    if (name == NULL || !has_scopes(function))
        return name == NULL ? NULL : strdup(name);
    return whole_name(function);
}
