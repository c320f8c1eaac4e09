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

#include "base/sys.h"

enum { PAGE = 4096 };

/* What the dynamic section leads to; the loader has added the bias to its addresses. */
struct calls {
    const ElfW(Sym) * symbols;
    const char *names;
    const ElfW(Rela) * slots;
    size_t count;
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
            calls.slots = at;
        else if (entry->d_tag == DT_PLTRELSZ)
            calls.count = entry->d_un.d_val / sizeof *calls.slots;
    }
    return calls;
}

/* The table may have been made read-only once it was filled. */
static int write_slot(void **slot, void *to) {
    uintptr_t page = (uintptr_t)slot & ~(uintptr_t)(PAGE - 1);
    int status = (int)sys_call(SYS_mprotect, page, PAGE, PROT_READ | PROT_WRITE);
    if (status == 0)
        *slot = to;
    return status;
}

int native_redirect(const void *inside, const char *name, void *to) {
    Dl_info info;
    struct link_map *map = NULL;
    if (dladdr1(inside, &info, (void **)&map, RTLD_DL_LINKMAP) == 0 || map == NULL)
        return -ENOENT;
    struct calls calls = read_dynamic(map->l_ld);
    for (size_t at = 0; at < calls.count; at++) {
        const ElfW(Sym) *symbol = calls.symbols + ELF64_R_SYM(calls.slots[at].r_info);
        if (strcmp(calls.names + symbol->st_name, name) == 0)
            return write_slot((void **)(map->l_addr + calls.slots[at].r_offset), to);
    }
    return -ENOENT;
}
