/* SPDX-License-Identifier: MIT */
#include "stack/native/x86_64/native_instruction.h"

#include <string.h>

#include "stack/native/native_window.h"

enum { MAX_CALL = 7 }; /* bytes of a call's instruction */

/* call rel32, or 0xff /2 with what its operand needs (Intel's manual, volume 2). */
bool native_instruction_is_after_call(uintptr_t address) {
    const unsigned char *end = (const unsigned char *)address;
    if (!native_window_is_readable(address - MAX_CALL, MAX_CALL))
        return false;
    if (end[-5] == 0xe8)
        return true;
    for (int size = 2; size <= MAX_CALL; size++)
        if (end[-size] == 0xff && (end[1 - size] >> 3 & 7) == 2)
            return true;
    return false;
}

/* mov $15, %rax; syscall: what the kernel lets a handler return to. */
bool native_instruction_is_signal_return(uintptr_t address) {
    static const unsigned char code[] = {0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05};
    return memcmp((const void *)address, code, sizeof code) == 0;
}
