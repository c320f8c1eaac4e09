/* SPDX-License-Identifier: MIT */
#include "symbols/symbol_name.h"

#include <stdbool.h>
#include <string.h>

#include <libiberty/demangle.h>

/* The return type is left out of the name. */
enum { STYLE = DMGL_PARAMS | DMGL_ANSI | DMGL_AUTO | DMGL_RET_DROP };

char *symbol_name_copy(const char *name) {
    bool mangled = name[0] == '_' && (name[1] == 'Z' || name[1] == 'R');
    char *plain = mangled ? cplus_demangle(name, STYLE) : NULL;
    return plain != NULL ? plain : strdup(name);
}
