/* SPDX-License-Identifier: MIT */
#include "hooks/loaded_late.h"

#include <dlfcn.h>
#include <link.h>
#include <stddef.h>

#include "base/hash.h"
#include "stack/native/native_object.h"

bool loaded_late;

static void *program; /* the loader's handle: the program's global scope */

static bool is_own(const void *address) {
    Dl_info own, info;
    return dladdr((const void *)loaded_late_detect, &own) != 0 &&
           dladdr(address, &info) != 0 && info.dli_fbase == own.dli_fbase;
}

/* Objects that were there at the start, and those they preload, are in the scope of
 * the program's own handle; one that dlopen brought is not. */
void loaded_late_detect(void) {
    program = dlopen(NULL, RTLD_LAZY | RTLD_NOLOAD);
    void *found = program != NULL ? dlsym(program, "tracemalloc_start") : NULL;
    loaded_late = program != NULL && (found == NULL || !is_own(found));
}

struct definition {
    const char *name;
    void *address;
};

static int look(struct dl_phdr_info *info, size_t size, void *argument) {
    struct definition *definition = argument;
    struct native_object object;
    struct native_symbol symbol;
    (void)size;
    native_object_describe(info, &object);
    if (is_own((const void *)object.start) ||
        native_object_symbol(&object, definition->name, hash_symbol(definition->name),
                             &symbol) < 0)
        return 0;
    definition->address = (void *)symbol.address;
    return 1;
}

/* An executable that takes a function's address has a stub of that name, which leads
 * through its own table: no definition. */
static bool is_stub(const void *function) {
    Dl_info info;
    const ElfW(Sym) *symbol = NULL;
    return dladdr1(function, &info, (void **)&symbol, RTLD_DL_SYMENT) != 0 &&
           (symbol == NULL || symbol->st_shndx == SHN_UNDEF);
}

void *loaded_late_find(const char *name) {
    void *found = dlsym(program, name);
    if (found == NULL || !is_stub(found))
        return found;
    struct definition definition = {.name = name};
    dl_iterate_phdr(look, &definition);
    return definition.address;
}

static int describe_executable(struct dl_phdr_info *info, size_t size, void *object) {
    (void)size;
    native_object_describe(info, object);
    return 1;
}

unsigned loaded_late_bypassed(void) {
    static const char *const names[] = {"malloc", "calloc", "realloc", "free"};
    struct native_object executable;
    struct native_symbol symbol;
    unsigned count = 0;
    dl_iterate_phdr(describe_executable, &executable);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        count += native_object_symbol(&executable, names[i], hash_symbol(names[i]),
                                      &symbol) == 0;
    return count;
}
