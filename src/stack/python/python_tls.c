/* SPDX-License-Identifier: MIT */
#include "stack/python/python_runtime.h"

#include <link.h>
#include <string.h>

#include "base/machine.h"

/* Blocks of the static area begin at most this far from the thread pointer; one that
 * dlopen made is elsewhere. */
enum { STATIC_AREA = 64 << 10 };

struct search {
    uintptr_t function; /* of the interpreter */
    const void *tstate;
    ptrdiff_t offset;
    unsigned found;
};

static bool holds(const struct dl_phdr_info *module, uintptr_t address) {
    for (size_t i = 0; i < module->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &module->dlpi_phdr[i];
        if (segment->p_type == PT_LOAD &&
            address - (module->dlpi_addr + segment->p_vaddr) < segment->p_memsz)
            return true;
    }
    return false;
}

static size_t tls_size(const struct dl_phdr_info *module) {
    for (size_t i = 0; i < module->dlpi_phnum; i++)
        if (module->dlpi_phdr[i].p_type == PT_TLS)
            return module->dlpi_phdr[i].p_memsz;
    return 0;
}

static int look(struct dl_phdr_info *module, size_t size, void *argument) {
    struct search *search = argument;
    if (size < sizeof *module || !holds(module, search->function))
        return 0;
    const char *block = module->dlpi_tls_data;
    size_t length = block != NULL ? tls_size(module) : 0;
    for (size_t at = 0; at + sizeof(void *) <= length; at += sizeof(void *)) {
        if (memcmp(block + at, &search->tstate, sizeof search->tstate) != 0)
            continue;
        search->offset = block + at - (const char *)__builtin_thread_pointer();
        search->found++;
    }
    return 1;
}

ptrdiff_t python_runtime_current_offset(const struct python_runtime *runtime,
                                        const void *tstate) {
    struct search search = {(uintptr_t)runtime->get_current, tstate, 0, 0};
    dl_iterate_phdr(look, &search);
    ptrdiff_t distance = search.offset * MACHINE_TLS_SIDE;
    bool is_static = distance > 0 && distance < STATIC_AREA;
    return search.found == 1 && is_static ? search.offset : 0;
}
