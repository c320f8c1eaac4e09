/* SPDX-License-Identifier: MIT */
/* What all layers need to know of the machine. Another architecture has its case here,
 * and a directory beside src/stack/native/x86_64/. Any thread, also in a hook. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#ifndef __x86_64__
#error "this architecture has no case in base/machine.h yet"
#endif

/* Bytes of a page of memory. */
enum { MACHINE_PAGE = 4096 };

/* The first address of the page that `address` is in. */
static always_inline uintptr_t machine_page_of(uintptr_t address) {
    return address & ~(uintptr_t)(MACHINE_PAGE - 1);
}

/* Bytes rounded up to whole pages. */
static always_inline size_t machine_whole_pages(size_t size) {
    return machine_page_of(size + MACHINE_PAGE - 1);
}

/* Tells the processor that this thread spins. */
static always_inline void machine_pause(void) {
    __builtin_ia32_pause();
}

/* After code was written: no processor goes on with what was there before. */
static always_inline void machine_flush_code(void *start, size_t length) {
    char *first = start;
    __builtin___clear_cache(first, first + length);
}
