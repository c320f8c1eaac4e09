/* SPDX-License-Identifier: MIT */
/* What all layers need to know of the machine. Another architecture has its case here,
 * and a directory beside src/stack/native/x86_64/. Any thread, also in a hook. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/* MACHINE_MIN_PAGE, MACHINE_MAX_PAGE: bytes of a page, among the kernels of this
 * architecture, where the compiler must know. machine_page_size: of this kernel.
 * MACHINE_TLS_SIDE: whether static thread-local variables are below (-1) or above (1)
 * the thread pointer (ELF Handling For Thread-Local Storage, variants II and I).
 * machine_unused_addresses: a quarter, or a half, of the address space, from where on
 * there is nothing for a while: the kernel places mappings at the top, and executables
 * at the bottom or at two thirds. MACHINE_ADDRESS_BITS: of a program's addresses, at
 * most. machine_pause tells the processor that this thread spins.
 *
 * machine_load_published: of a flag or pointer that another thread set after what it
 * leads to, which is read after it. On x86-64 a plain load, which is one instruction
 * with the test of a flag: the processor keeps the order of loads. */
#if defined(__x86_64__)

enum { MACHINE_MIN_PAGE = 4096, MACHINE_MAX_PAGE = MACHINE_MIN_PAGE };
enum { MACHINE_TLS_SIDE = -1, MACHINE_ADDRESS_BITS = 47 };
#define machine_load_published(place) (*(place))

static always_inline size_t machine_page_size(void) {
    return MACHINE_MIN_PAGE;
}

static always_inline uintptr_t machine_unused_addresses(void) {
    return (uintptr_t)1 << 46;
}

static always_inline void machine_pause(void) {
    __builtin_ia32_pause();
}

#elif defined(__aarch64__)

#include <sys/auxv.h>

enum { MACHINE_MIN_PAGE = 4 << 10, MACHINE_MAX_PAGE = 64 << 10 };
enum { MACHINE_TLS_SIDE = 1, MACHINE_ADDRESS_BITS = 48 };
#define machine_load_published(place) __atomic_load_n(place, __ATOMIC_ACQUIRE)

static inline size_t machine_page_size(void) {
    return getauxval(AT_PAGESZ);
}

/* Kernels are built for 39, 42, 47, 48 or 52 bits of addresses, of which a program that
 * does not ask for more is given at most 48. The first stack is at their top. */
static inline uintptr_t machine_unused_addresses(void) {
    int unused_bits = __builtin_clzl(getauxval(AT_RANDOM));
    return (uintptr_t)1 << (64 - 2 - unused_bits);
}

/* `yield` does nothing where there is one hardware thread to a core; `isb` waits for
 * the pipeline, about as long as x86's `pause`. */
static always_inline void machine_pause(void) {
    __asm__ volatile("isb" ::: "memory");
}

#else
#error "this architecture has no case in base/machine.h yet"
#endif

/* The first address of the page that `address` is in. */
static always_inline uintptr_t machine_page_of(uintptr_t address) {
    return address & ~(uintptr_t)(machine_page_size() - 1);
}

/* Bytes rounded up to whole pages. */
static always_inline size_t machine_whole_pages(size_t size) {
    return machine_page_of(size + machine_page_size() - 1);
}

/* After code was written: no processor goes on with what was there before. */
static always_inline void machine_flush_code(void *start, size_t length) {
    char *first = start;
    __builtin___clear_cache(first, first + length);
}
