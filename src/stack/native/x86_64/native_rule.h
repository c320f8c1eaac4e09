/* SPDX-License-Identifier: MIT */
/* How a frame is unwound at one address of its code: the result of cfi_interpreter and
 * native_cfi. */
#pragma once

#include <stdint.h>

enum native_rule {
    NATIVE_RULE_OTHER,   /* none of these: a step for libunwind */
    NATIVE_RULE_RSP,     /* CFA = rsp + cfa */
    NATIVE_RULE_RBP,     /* CFA = rbp + cfa */
    NATIVE_RULE_WORD,    /* CFA = *(rbp + cfa), rbp at rbp + rbp: a realigned stack */
    NATIVE_RULE_SIGNAL,  /* the kernel put the registers on the stack */
    NATIVE_RULE_ROOT,    /* it has no caller */
    NATIVE_RULE_ABSENT,  /* the code has no unwind tables */
    NATIVE_RULE_NO_CODE, /* no call returns here */
};

struct native_cfi {
    uintptr_t function; /* its address */
    int32_t cfa;        /* bytes */
    /* The caller's rbp is at CFA + rbp; 0: in the register, unless the rule is
     * NATIVE_RULE_WORD. */
    int32_t rbp;
    enum native_rule rule;
};
