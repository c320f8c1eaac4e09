/* SPDX-License-Identifier: MIT */
/* A word of the stack, which may be any word: the address sanitizer, which knows the
 * variables there, must not see it being read. */
#pragma once

#include <stdint.h>

#include "base/compiler.h"

static always_inline uint64_t native_word(const uint64_t *at) {
#ifdef __SANITIZE_ADDRESS__
    uint64_t word;
    __asm__("mov %1, %0" : "=r"(word) : "m"(*at));
    return word;
#else
    return *at;
#endif
}
