/* SPDX-License-Identifier: MIT */
#include "hooks/redirect.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <stdint.h>
#include <sys/mman.h>

#include "base/machine.h"
#include "base/sys.h"
#include "hooks/jump.h"

/* The function's symbol, or NULL, and the base that its value is relative to. */
static ElfW(Sym) * symbol_of(const void *function, uintptr_t *base) {
    Dl_info info;
    struct link_map *map;
    ElfW(Sym) *symbol = NULL;
    if (dladdr1(function, &info, (void **)&symbol, RTLD_DL_SYMENT) == 0 ||
        dladdr1(function, &info, (void **)&map, RTLD_DL_LINKMAP) == 0)
        return NULL;
    *base = map->l_addr;
    return symbol;
}

static int set_protection(uintptr_t start, size_t length, int protection) {
    return (int)sys_call(SYS_mprotect, start, length, protection);
}

static int redirect_code(unsigned char *code, size_t size, const void *to) {
    if (size < JUMP_SIZE)
        return -EINVAL;
    uintptr_t start = machine_page_of((uintptr_t)code);
    size_t length = machine_whole_pages((uintptr_t)code + JUMP_SIZE - start);
    int error = set_protection(start, length, PROT_READ | PROT_WRITE | PROT_EXEC);
    if (error < 0)
        return error;
    jump_write(code, to);
    machine_flush_code(code, JUMP_SIZE);
    return set_protection(start, length, PROT_READ | PROT_EXEC);
}

/* Modules that the loader binds from now on get the other address: it adds the object's
 * base to the symbol's value, modulo 2^64. */
static int redirect_symbol(ElfW(Sym) * symbol, uintptr_t base, const void *to) {
    uintptr_t start = machine_page_of((uintptr_t)symbol);
    size_t length = machine_whole_pages((uintptr_t)(symbol + 1) - start);
    int error = set_protection(start, length, PROT_READ | PROT_WRITE);
    if (error < 0)
        return error;
    symbol->st_value = (uintptr_t)to - base;
    return set_protection(start, length, PROT_READ);
}

int redirect_function(const char *name, void *to) {
    uintptr_t base;
    unsigned char *code = dlsym(RTLD_DEFAULT, name);
    ElfW(Sym) *symbol = code != NULL && code != to ? symbol_of(code, &base) : NULL;
    if (symbol == NULL)
        return -ENOENT;
    if (redirect_code(code, symbol->st_size, to) == 0)
        return 0;
    return redirect_symbol(symbol, base, to);
}
