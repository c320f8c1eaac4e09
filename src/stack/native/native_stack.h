/* SPDX-License-Identifier: MIT */
/* The native stack of the calling thread, without unwinding what did not change.
 *
 * Each thread keeps its last stack, root first. For each frame it has the place on the
 * stack where the frame's return address lies, and the address that was there. At an
 * event, frames are unwound from the leaf on until one has its address at the same
 * place as before; below, the last stack says where the next addresses must be, and
 * they are only compared:
 *
 *   last stack   root ... [slot, value] [slot, value] [slot, value] <- leaf
 *   verify       *slot == value, and the same for rbp where a frame depends on it
 *
 * Only words in the window are read, and compared later only those of the thread's own
 * stack: a stack that is partly elsewhere is unwound at each event. Under the tracer's
 * lock, or with one thread; memory comes from the arena, and nothing here calls the
 * loader.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "stack/native/native_machine.h"
#include "stack/native/unwind_table.h"
#include "stack/native/native_window.h"
#include "stack/native/native_word.h"

/* A word of the stack, and what it was. */
struct native_slot {
    const uint64_t *at;
    uint64_t value;
};

enum { NATIVE_NO_PYTHON = UINT32_MAX };

struct native_frame {
    uint64_t rbp;
    const uint64_t *rbp_at; /* where its rbp lies, where it depends on that; or NULL */
    uint64_t key;           /* of its entry */
    uint32_t first;   /* of the Python frames that it evaluates, or NATIVE_NO_PYTHON */
    uint32_t end;     /* the one behind them */
    uint32_t node;    /* the stack that ends here, see native_merge */
    uint32_t natives; /* native frames up to here that are shown */
    uint32_t rbps;    /* frames up to here with rbp_at */
    uint8_t flags;    /* enum native_flags */
    bool exact;
    uint16_t reserved;
};

struct native_stack {
    struct native_slot *slots; /* root first: where the addresses lie */
    struct native_frame *frames;
    uint32_t depth;
    uint32_t capacity;
    uint32_t
        lowest; /* the last entry that has to be compared: those below are not shown */
    uint32_t epoch;      /* of unwind_table */
    uint32_t max_native; /* frames that are shown */
    bool broken;         /* the last walk ended before the root */
    struct native_window window;
};

/* Whether all words from `first` to the one before `end` are as they were. All are
 * read, whatever the first of them say: the loads do not wait for each other. */
static always_inline bool native_slots_hold(const struct native_slot *first,
                                            const struct native_slot *end) {
    uint64_t differs = 0;
    for (; end - first > 1; first += 2)
        differs |= (native_word(first[0].at) ^ first[0].value) |
                   (native_word(first[1].at) ^ first[1].value);
    if (first < end)
        differs |= native_word(first->at) ^ first->value;
    return likely(differs == 0);
}

/* Whether any entry from `first` to the one before `end` depends on a saved rbp. */
static always_inline bool native_stack_has_rbps(const struct native_stack *stack,
                                                uint32_t first, uint32_t end) {
    uint32_t below = first > 0 ? stack->frames[first - 1].rbps : 0;
    return end > first && stack->frames[end - 1].rbps != below;
}

/* The words that the entries from `first` to the one before `end` depend on, for
 * native_slots_hold. Returns how many they are; nothing more than `room` is written. */
uint32_t native_stack_words(const struct native_stack *stack, uint32_t first,
                            uint32_t end, struct native_slot *words, uint32_t room);

/* The stack pointer of an entry. */
static always_inline uintptr_t native_stack_pointer(const struct native_stack *stack,
                                                    uint32_t at) {
    return (uintptr_t)(stack->slots[at].at + 1);
}

/* Brings the stack up to date; `leaf` is its innermost frame. Returns the lowest entry
 * that is not as it was, or the depth. Without memory the stack is empty. */
uint32_t native_stack_walk(struct native_stack *stack,
                           const struct native_registers *leaf);

/* The last entry to be compared where the lowest `kept` ones stay: what is shown of
 * them is above it. */
uint32_t native_stack_lowest(const struct native_stack *stack, uint32_t kept);

/* Nothing is known of the last stack. */
void native_stack_forget(struct native_stack *stack);
void native_stack_release(struct native_stack *stack);
