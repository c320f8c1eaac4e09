/* SPDX-License-Identifier: MIT */
/* The processor's names of what the loader writes into an object's table of addresses:
 * of functions that are called, of other addresses, and of those in data, such as a
 * table of functions. */
#pragma once

#include <elf.h>

#if defined(__x86_64__)
enum {
    NATIVE_RELOCATION_CALL = R_X86_64_JUMP_SLOT,
    NATIVE_RELOCATION_ADDRESS = R_X86_64_GLOB_DAT,
    NATIVE_RELOCATION_DATA = R_X86_64_64,
};
#elif defined(__aarch64__)
enum {
    NATIVE_RELOCATION_CALL = R_AARCH64_JUMP_SLOT,
    NATIVE_RELOCATION_ADDRESS = R_AARCH64_GLOB_DAT,
    NATIVE_RELOCATION_DATA = R_AARCH64_ABS64,
};
#endif
