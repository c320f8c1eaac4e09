/* SPDX-License-Identifier: MIT */
/* How one frame is unwound at one address of its code: what cfi_interpreter finds out,
 * and native_cfi answers. */
#pragma once

#include <stdint.h>

enum native_rule {
    NATIVE_RULE_OTHER,   /* not in these terms */
    NATIVE_RULE_RSP,     /* CFA = rsp + cfa */
    NATIVE_RULE_RBP,     /* CFA = rbp + cfa */
    NATIVE_RULE_WORD,    /* CFA = *(rbp + cfa), rbp at rbp + rbp: a realigned stack */
    NATIVE_RULE_SIGNAL,  /* the kernel put the registers on the stack */
    NATIVE_RULE_ROOT,    /* it has no caller */
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
