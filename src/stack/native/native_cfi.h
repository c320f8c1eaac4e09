/* SPDX-License-Identifier: MIT */
/* How one frame is unwound at one address of its code, from the unwind tables of its
 * module (.eh_frame: DWARF 5, section 6.4, with the changes of the Linux Standard Base,
 * Core Generic, 10.6). x86-64.
 *
 * A walk needs only the canonical frame address (CFA: the stack pointer before the
 * call), from rsp or rbp, and where the caller's rbp is. The return address is the word
 * below the CFA. Frames that need more are left to libunwind.
 *
 * Pure functions on bytes that the loader has mapped; any thread, also inside a hook;
 * no lock, no memory.
 */
#pragma once

#include <stdint.h>

#include "base/compiler.h"
#include "stack/native/native_machine.h"

/* `header` is the module's .eh_frame_hdr, `address` one inside the instruction. 0;
 * -ENOENT without an entry for the address; -ENOTSUP for tables of another form. */
must_check int native_cfi_find(const unsigned char *header, uintptr_t address,
                               struct native_cfi *out);
