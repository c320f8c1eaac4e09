/* SPDX-License-Identifier: MIT */
#include "stack/native/native_redirect.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "base/machine.h"
#include "base/sys.h"
#include "stack/native/native_object.h"

/* What the dynamic section leads to; the loader has added the bias to its addresses. */
struct calls {
    const ElfW(Sym) * symbols;
    const char *names;
    const ElfW(Rela) * slots[2]; /* of calls, and of other addresses: -fno-plt */
    size_t counts[2];
};

static struct calls read_dynamic(const ElfW(Dyn) * entry) {
    struct calls calls = {0};
    for (; entry->d_tag != DT_NULL; entry++) {
        const void *at = (const void *)entry->d_un.d_ptr;
        if (entry->d_tag == DT_SYMTAB)
            calls.symbols = at;
        else if (entry->d_tag == DT_STRTAB)
            calls.names = at;
        else if (entry->d_tag == DT_JMPREL)
            calls.slots[0] = at;
        else if (entry->d_tag == DT_PLTRELSZ)
            calls.counts[0] = entry->d_un.d_val / sizeof(ElfW(Rela));
        else if (entry->d_tag == DT_RELA)
            calls.slots[1] = at;
        else if (entry->d_tag == DT_RELASZ)
            calls.counts[1] = entry->d_un.d_val / sizeof(ElfW(Rela));
    }
    return calls;
}

static bool is_slot(const struct calls *calls, const ElfW(Rela) * slot,
                    const char *name) {
    uint64_t type = ELF64_R_TYPE(slot->r_info);
    const ElfW(Sym) *symbol = calls->symbols + ELF64_R_SYM(slot->r_info);
    return (type == R_X86_64_JUMP_SLOT || type == R_X86_64_GLOB_DAT) &&
           strcmp(calls->names + symbol->st_name, name) == 0;
}

static void **find_slot(const struct link_map *map, const char *name) {
    struct calls calls = read_dynamic(map->l_ld);
    for (size_t table = 0; table < 2; table++)
        for (size_t at = 0; at < calls.counts[table]; at++)
            if (is_slot(&calls, &calls.slots[table][at], name))
                return (void **)(map->l_addr + calls.slots[table][at].r_offset);
    return NULL;
}

/* Whether the loader made the slot read-only once it had filled it. */
static bool is_read_only(const void *inside, const void *slot) {
    struct native_object object;
    size_t count = 0;
    const ElfW(Phdr) *segment = NULL;
    if (native_object_find((uintptr_t)inside, &object) == 0)
        segment = native_object_segments(&object, &count);
    for (; count > 0; count--, segment++)
        if (segment->p_type == PT_GNU_RELRO &&
            (uintptr_t)slot - object.bias - segment->p_vaddr < segment->p_memsz)
            return true;
    return false;
}

static int protect(void **slot, int protection) {
    return (int)sys_call(SYS_mprotect, machine_page_of((uintptr_t)slot), MACHINE_PAGE,
                         protection);
}

int native_redirect(const void *inside, const char *name, void *to, void **before) {
    Dl_info info;
    struct link_map *map = NULL;
    if (dladdr1(inside, &info, (void **)&map, RTLD_DL_LINKMAP) == 0 || map == NULL)
        return -ENOENT;
    void **slot = find_slot(map, name);
    if (slot == NULL)
        return -ENOENT;
    bool read_only = is_read_only(inside, slot);
    int status = protect(slot, PROT_READ | PROT_WRITE);
    if (status < 0)
        return status;
    *before = *slot;
    *slot = to;
    return read_only ? protect(slot, PROT_READ) : 0;
}
