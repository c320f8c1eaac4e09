/* SPDX-License-Identifier: MIT */
/* How one frame is unwound at one address of its code, from the unwind tables of its
 * module (.eh_frame: DWARF 5, section 6.4, with the changes of the Linux Standard Base,
 * Core Generic, 10.6). x86-64.
 *
 * Only what a walk up the stack needs is kept: the canonical frame address (CFA: the
 * stack pointer before the call), from rsp or rbp, and where the caller's rbp is. The
 * return address is the word below the CFA. At what cannot be said
 * in these terms a walk ends.
 *
 * Pure functions on bytes that the loader has mapped; any thread, also inside a hook;
 * no lock, no memory.
 */
#pragma once

#include <stdint.h>

#include "base/compiler.h"

enum native_rule {
    NATIVE_RULE_OTHER,   /* not in these terms */
    NATIVE_RULE_RSP,     /* CFA = rsp + cfa */
    NATIVE_RULE_RBP,     /* CFA = rbp + cfa */
    NATIVE_RULE_WORD,    /* CFA = *(rbp + cfa), rbp at rbp + rbp: a realigned stack */
    NATIVE_RULE_SIGNAL,  /* the kernel put the registers on the stack */
    NATIVE_RULE_ROOT,    /* nobody called this */
    NATIVE_RULE_ABSENT,  /* there are no tables of this code */
    NATIVE_RULE_NO_CODE, /* no call returns here */
};

struct native_cfi {
    uintptr_t function; /* where the code begins that the tables describe together */
    int32_t cfa;        /* bytes */
    int32_t
        rbp; /* the caller's rbp is at CFA + rbp; 0, but for NATIVE_RULE_WORD: in rbp */
    enum native_rule rule;
};

/* `header` is the module's .eh_frame_hdr, `address` one inside the instruction. 0;
 * -ENOENT without an entry for the address; -ENOTSUP for tables of another form. */
must_check int native_cfi_find(const unsigned char *header, uintptr_t address,
                               struct native_cfi *out);
