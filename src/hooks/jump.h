/* SPDX-License-Identifier: MIT */
/* Jumps that hooks write into other code, and such as no C function can make: without
 * a frame, so that who is jumped to finds arguments, stack and caller as they were.
 *
 *   JUMP_WHERE(name, ask)   defines the function `name`: calls ask(), a function with
 *                           the same first arguments, and jumps to what it returns
 *   JUMP_SIZE               bytes that jump_write writes
 *   jump_write(code, to)    a jump to `to`, as the beginning of a function
 *
 * One case for each architecture. Nothing here allocates. */
#pragma once

#include <stddef.h>
#include <string.h>

#include "base/compiler.h"

#if defined(__x86_64__)

/* rdi to r9 carry arguments (System V ABI, AMD64 supplement, 3.2.3). */
#define JUMP_WHERE(name, ask)                                                          \
    __asm__(".pushsection .text\n"                                                     \
            ".p2align 4\n"                                                             \
            ".globl " name "\n"                                                        \
            ".type " name ", @function\n" name ":\n"                                   \
            ".cfi_startproc\n"                                                         \
            "push %rdi\n"                                                              \
            "push %rsi\n"                                                              \
            "push %rdx\n"                                                              \
            "push %rcx\n"                                                              \
            "push %r8\n"                                                               \
            "push %r9\n"                                                               \
            "sub $8, %rsp\n"                                                           \
            ".cfi_adjust_cfa_offset 56\n"                                              \
            "call " ask "\n"                                                           \
            "add $8, %rsp\n"                                                           \
            "pop %r9\n"                                                                \
            "pop %r8\n"                                                                \
            "pop %rcx\n"                                                               \
            "pop %rdx\n"                                                               \
            "pop %rsi\n"                                                               \
            "pop %rdi\n"                                                               \
            ".cfi_adjust_cfa_offset -56\n"                                             \
            "jmp *%rax\n"                                                              \
            ".cfi_endproc\n"                                                           \
            ".size " name ", . - " name "\n"                                           \
            ".popsection\n")

/* endbr64; movabs $to, %r11; jmp *%r11. r11 carries no argument. */
enum { JUMP_SIZE = 17 };

static inline void jump_write(unsigned char *code, const void *to) {
    static const unsigned char move[] = {0xf3, 0x0f, 0x1e, 0xfa, 0x49, 0xbb};
    static const unsigned char jump[] = {0x41, 0xff, 0xe3};
    memcpy(code, move, sizeof move);
    memcpy(code + sizeof move, &to, sizeof to);
    memcpy(code + sizeof move + sizeof to, jump, sizeof jump);
}

#elif defined(__aarch64__)

/* x0 to x7 carry arguments, and x30 the return address. hint #34 is `bti c`: code may
 * be called by address there, and x16 and x17 may jump there (AAPCS64, 6.1.1). */
#define JUMP_WHERE(name, ask)                                                          \
    __asm__(".pushsection .text\n"                                                     \
            ".p2align 4\n"                                                             \
            ".globl " name "\n"                                                        \
            ".type " name ", %function\n" name ":\n"                                   \
            ".cfi_startproc\n"                                                         \
            "hint #34\n"                                                               \
            "stp x29, x30, [sp, #-80]!\n"                                              \
            ".cfi_def_cfa_offset 80\n"                                                 \
            ".cfi_offset x29, -80\n"                                                   \
            ".cfi_offset x30, -72\n"                                                   \
            "mov x29, sp\n"                                                            \
            "stp x0, x1, [sp, #16]\n"                                                  \
            "stp x2, x3, [sp, #32]\n"                                                  \
            "stp x4, x5, [sp, #48]\n"                                                  \
            "stp x6, x7, [sp, #64]\n"                                                  \
            "bl " ask "\n"                                                             \
            "mov x16, x0\n"                                                            \
            "ldp x0, x1, [sp, #16]\n"                                                  \
            "ldp x2, x3, [sp, #32]\n"                                                  \
            "ldp x4, x5, [sp, #48]\n"                                                  \
            "ldp x6, x7, [sp, #64]\n"                                                  \
            "ldp x29, x30, [sp], #80\n"                                                \
            ".cfi_restore x29\n"                                                       \
            ".cfi_restore x30\n"                                                       \
            ".cfi_def_cfa_offset 0\n"                                                  \
            "br x16\n"                                                                 \
            ".cfi_endproc\n"                                                           \
            ".size " name ", . - " name "\n"                                           \
            ".popsection\n")

/* bti c; ldr x17, #8; br x17; the address. */
enum { JUMP_SIZE = 20 };

static inline void jump_write(unsigned char *code, const void *to) {
    static const unsigned char jump[] = {0x5f, 0x24, 0x03, 0xd5, 0x51, 0x00,
                                         0x00, 0x58, 0x20, 0x02, 0x1f, 0xd6};
    memcpy(code, jump, sizeof jump);
    memcpy(code + sizeof jump, &to, sizeof to);
}

#endif
