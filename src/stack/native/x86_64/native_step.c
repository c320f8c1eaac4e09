/* SPDX-License-Identifier: MIT */
#include "stack/native/x86_64/native_step.h"

#include <ucontext.h>

#include "stack/native/x86_64/native_libunwind.h"

/* The kernel leaves the registers of what it interrupted on the stack, where
 * rt_sigreturn takes them from (struct rt_sigframe of the kernel). */
static bool leave_handler(struct native_registers *registers,
                          struct native_window *window) {
    const ucontext_t *interrupted = (const void *)registers->sp;
    const greg_t *saved = interrupted->uc_mcontext.gregs;
    uint64_t sp = registers->sp;
    if (!native_window_has(window, sp, (uintptr_t)&saved[REG_RBP]) ||
        !native_window_has(window, sp, (uintptr_t)&saved[REG_RSP]) ||
        !native_window_has(window, sp, (uintptr_t)&saved[REG_RIP]))
        return false;
    *registers = (struct native_registers){
        .ip = (uint64_t)saved[REG_RIP],
        .sp = (uint64_t)saved[REG_RSP],
        .rbp = (uint64_t)saved[REG_RBP],
        .slot = (const uint64_t *)&saved[REG_RIP],
        .rbp_slot = (const uint64_t *)&saved[REG_RBP],
        .exact = true,
    };
    return native_window_move(window, registers->sp);
}

/* Code without tables, which may have a frame pointer. */
static bool follow_rbp(struct native_registers *registers,
                       struct native_window *window) {
    enum { LARGEST_FRAME = 1 << 16 };
    uint64_t frame = registers->rbp;
    return frame - registers->sp < LARGEST_FRAME &&
           native_step_read(registers, window, frame, frame + 16);
}

static bool leave_realigned(struct native_registers *registers,
                            const struct unwind_entry *entry,
                            struct native_window *window) {
    uint64_t word = registers->rbp + (uint64_t)(int64_t)entry->cfa;
    uint64_t rbp_at = registers->rbp + (uint64_t)(int64_t)entry->rbp;
    return native_window_has(window, registers->sp, word) &&
           native_step_read(registers, window, rbp_at,
                            native_word((const uint64_t *)word));
}

/* By the rules that only libunwind follows. They depend on more than is compared at the
 * next event, so the stack is unwound anew then. Nothing leads back to an inner frame,
 * or to another stack. */
static bool leave_odd(struct native_registers *registers,
                      struct native_window *window) {
    uint64_t here = (uint64_t)__builtin_frame_address(0), sp = registers->sp;
    window->own = false;
    return native_window_has_room(window, here, NATIVE_LIBUNWIND_ROOM) &&
           native_libunwind_step(registers) &&
           native_window_has(window, sp, (uintptr_t)registers->slot);
}

cold_path bool native_step_rare(struct native_registers *registers,
                                const struct unwind_entry *entry,
                                struct native_window *window, bool *broken) {
    bool found = false;
    switch (entry->rule) {
    case NATIVE_RULE_ROOT:
        return false;
    case NATIVE_RULE_SIGNAL:
        found = leave_handler(registers, window);
        break;
    case NATIVE_RULE_WORD:
        found = leave_realigned(registers, entry, window);
        break;
    case NATIVE_RULE_ABSENT:
        found = follow_rbp(registers, window);
        break;
    default:
        found = leave_odd(registers, window);
        break;
    }
    if (!found)
        *broken = true;
    return found;
}
