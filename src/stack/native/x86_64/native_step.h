/* SPDX-License-Identifier: MIT */
/* One step outwards on a native stack: from the registers of a frame to those of its
 * caller, by the unwind entry of the frame's instruction.
 *
 * Nearly all frames are plain: the CFA (canonical frame address: the stack pointer
 * before the call) is rsp or rbp plus a constant, the return address is the word below
 * it, and the caller's rbp is in the register or at a constant distance from the CFA.
 *
 * Only words in the window are read. Under the tracer's lock, or with one thread;
 * allocates nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "stack/native/native_window.h"
#include "stack/native/native_word.h"
#include "stack/native/unwind_table.h"
#include "stack/native/x86_64/native_registers.h"

/* Reads the caller's rbp, and the return address, which is the word below `cfa`. If the
 * caller's rbp is still in the register, `rbp_at` is `cfa`. */
static always_inline bool native_step_read(struct native_registers *registers,
                                           struct native_window *window,
                                           uint64_t rbp_at, uint64_t cfa) {
    uint64_t slot = cfa - sizeof(uint64_t), sp = registers->sp;
    if (unlikely(!native_window_has(window, sp, slot)))
        return false;
    if (rbp_at != cfa) {
        if (unlikely(!native_window_has(window, sp, rbp_at)))
            return false;
        registers->rbp_slot = (const uint64_t *)rbp_at;
        registers->rbp = native_word(registers->rbp_slot);
    }
    registers->slot = (const uint64_t *)slot;
    registers->ip = native_word(registers->slot);
    registers->sp = cfa;
    registers->exact = false;
    return true;
}

/* Whether the caller is found by two words alone: see above. */
static always_inline bool native_step_is_plain(const struct unwind_entry *entry) {
    return entry->rule == NATIVE_RULE_RSP || entry->rule == NATIVE_RULE_RBP;
}

/* Whether the caller depends on the frame's rbp. */
static always_inline bool native_step_uses_rbp(const struct unwind_entry *entry) {
    return entry->rule != NATIVE_RULE_RSP;
}

/* The canonical frame address, for a plain entry. */
static always_inline uint64_t native_step_cfa(const struct native_registers *registers,
                                              const struct unwind_entry *entry) {
    uint64_t base = entry->rule == NATIVE_RULE_RSP ? registers->sp : registers->rbp;
    return base + (uint64_t)(int64_t)entry->cfa;
}

/* By the rules that few frames have. */
bool native_step_rare(struct native_registers *registers,
                      const struct unwind_entry *entry, struct native_window *window,
                      bool *broken);

/* False at the root, and if the caller is not found: then `broken` is set. */
static always_inline bool native_step(struct native_registers *registers,
                                      const struct unwind_entry *entry,
                                      struct native_window *window, bool *broken) {
    if (unlikely(!native_step_is_plain(entry)))
        return native_step_rare(registers, entry, window, broken);
    uint64_t cfa = native_step_cfa(registers, entry);
    bool found =
        native_step_read(registers, window, cfa + (uint64_t)(int64_t)entry->rbp, cfa);
    if (unlikely(!found))
        *broken = true;
    return found;
}
