/* SPDX-License-Identifier: MIT */
#include "hooks/redirect.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "base/sys.h"

enum { PAGE = 4096, JUMP_SIZE = 13, MARK_SIZE = 4 };

/* movabs $to, %r11; jmp *%r11. r11 carries no argument (System V ABI, AMD64 supplement,
 * 3.2.3). */
static void make_jump(unsigned char *code, const void *to) {
    static const unsigned char move[] = {0x49, 0xbb}, jump[] = {0x41, 0xff, 0xe3};
    memcpy(code, move, sizeof move);
    memcpy(code + sizeof move, &to, sizeof to);
    memcpy(code + sizeof move + sizeof to, jump, sizeof jump);
}

static size_t size_of(void *function) {
    Dl_info info;
    const ElfW(Sym) *symbol = NULL;
    if (dladdr1(function, &info, (void **)&symbol, RTLD_DL_SYMENT) == 0 ||
        symbol == NULL)
        return 0;
    return symbol->st_size;
}

static int set_protection(uintptr_t start, size_t length, int protection) {
    return (int)sys_call(SYS_mprotect, start, length, protection);
}

int redirect_function(const char *name, void *to) {
    static const unsigned char mark[MARK_SIZE] = {0xf3, 0x0f, 0x1e, 0xfa}; /* endbr64 */
    unsigned char *at = dlsym(RTLD_DEFAULT, name);
    if (at == NULL || (void *)at == to)
        return -ENOENT;
    if (size_of(at) < MARK_SIZE + JUMP_SIZE)
        return -EINVAL;
    if (memcmp(at, mark, sizeof mark) == 0)
        at += sizeof mark;
    uintptr_t start = (uintptr_t)at & ~(uintptr_t)(PAGE - 1);
    size_t length =
        (((uintptr_t)at + JUMP_SIZE - start) + PAGE - 1) & ~(size_t)(PAGE - 1);
    int status = set_protection(start, length, PROT_READ | PROT_WRITE | PROT_EXEC);
    if (status < 0)
        return status;
    make_jump(at, to);
    return set_protection(start, length, PROT_READ | PROT_EXEC);
}
