/* SPDX-License-Identifier: MIT */
#include "cli/module_notes.h"

#include "cli/source_notes.h"
#include "output/failure.h"

/* Module 0 is code that belongs to no module. */
static bool has_modules(const struct dump_reader *reader) {
    return reader->module_count > 1;
}

bool module_notes_may_open(const struct dump_reader *reader, bool open) {
    return open || source_notes_is_ours(reader);
}

int module_notes_open(struct symbols **symbols, const struct dump_reader *reader,
                      const char *name, bool open) {
    *symbols = NULL;
    if (module_notes_may_open(reader, open)) {
        int error = symbols_open(symbols);
        if (error == 0)
            symbols_use_cache(*symbols);
        return error;
    }
    if (has_modules(reader) && reader->symbol_count == 0) {
        failure_note("%s belongs to another user: the modules that it names "
                     "are not opened (use --open-modules to open them)",
                     name);
    }
    return 0;
}

void module_notes_print(const struct symbols *symbols) {
    const struct symbol_module *module;
    if (symbols == NULL)
        return;
    for (size_t i = 0; (module = symbols_module_at(symbols, i)) != NULL; i++) {
        if (symbols_module_state(module) != SYMBOL_MODULE_DIFFERENT)
            continue;
        failure_note("%s is not the file that was traced: its build-id "
                     "differs, so its functions are not named",
                     symbols_module_path(module));
    }
}
