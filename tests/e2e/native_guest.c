/* SPDX-License-Identifier: MIT */
/* A library that comes and goes: NAME is a macro. */
#include <stdlib.h>

#define no_inline __attribute__((noipa))
#define PASTE(a, b) a##b
#define NAMED(name, tail) PASTE(name, tail)

void *native_guest_kept;

no_inline void NAMED(NAME, _allocates)(size_t size) {
    native_guest_kept = malloc(size);
    __asm__ volatile("" ::: "memory");
}

no_inline void visit(size_t size) {
    NAMED(NAME, _allocates)(size);
    __asm__ volatile("" ::: "memory");
}
