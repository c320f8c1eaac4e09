/* SPDX-License-Identifier: MIT */
#include "cli/module_notes.h"

#include <stdio.h>

#include "output/progress.h"

void module_notes_print(const struct symbols *symbols) {
    const struct symbol_module *module;
    for (size_t i = 0; (module = symbols_module_at(symbols, i)) != NULL; i++) {
        if (symbols_module_state(module) != SYMBOL_MODULE_DIFFERENT)
            continue;
        progress_end();
        fprintf(stderr,
                "tracemalloc: %s is not the file that was traced: its build-id "
                "differs, and its functions are not named\n",
                symbols_module_path(module));
    }
}
