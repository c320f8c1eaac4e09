/* SPDX-License-Identifier: MIT */
/* The native stack of the calling thread. What did not change since the last event is
 * not unwound again.
 *
 * Each thread keeps its last stack, root first: for each frame the slot on the stack
 * that holds the frame's return address, and that address. At an event the walk unwinds
 * frames from the top frame outwards until it meets one that is cached. The cached
 * stack then says where the return addresses of all outer frames must be, and the walk
 * only compares them:
 *
 *   last stack   root ... [slot, value] [slot, value] [slot, value] <- leaf
 *   verify       *slot == value, and the same for rbp if a frame depends on it
 *
 * The walk reads only words inside the window. Only words of the thread's own stack are
 * compared at later events; a stack that is partly elsewhere is unwound each time.
 * Under the tracer's lock, or with one thread; memory comes from the arena, and nothing
 * here calls the loader.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "stack/native/native_machine.h"
#include "stack/native/unwind_table.h"
#include "stack/native/native_window.h"
#include "stack/native/native_word.h"

/* A word of the stack, and its value at the last event. */
struct native_slot {
    const uint64_t *at;
    uint64_t value;
};

enum { NATIVE_NO_PYTHON = UINT32_MAX };

struct native_frame {
    uint64_t rbp;
    const uint64_t *rbp_at; /* saved rbp that the frame depends on, or NULL */
    uint64_t key;           /* see struct unwind_entry */
    uint32_t first;   /* first Python frame that it evaluates, or NATIVE_NO_PYTHON */
    uint32_t end;     /* the one after the last */
    uint32_t node;    /* merged stack that ends with this frame: see native_merge */
    uint32_t natives; /* native frames shown, from the root to this one */
    uint32_t rbps;    /* frames with rbp_at, from the root to this one */
    uint8_t flags;    /* enum native_flags */
    bool exact;
    uint16_t reserved;
};

struct native_stack {
    struct native_slot *slots; /* root first: where the addresses lie */
    struct native_frame *frames;
    uint32_t depth;
    uint32_t capacity;
    uint32_t outermost_shown; /* no entry outside it is shown, or compared */
    uint32_t epoch;           /* of unwind_table */
    uint32_t max_native;      /* frames that are shown */
    bool broken;              /* the last walk ended before the root */
    struct native_window window;
};

/* Whether all words from `first` to the one before `end` are unchanged. Reads all of
 * them even if the first has changed, so that the loads do not wait for each other. */
static always_inline bool native_slots_are_unchanged(const struct native_slot *first,
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

/* Collects the words that the entries from `first` to the one before `end` depend on,
 * for native_slots_are_unchanged. Returns their number; writes at most `room`. */
uint32_t native_stack_words(const struct native_stack *stack, uint32_t first,
                            uint32_t end, struct native_slot *words, uint32_t room);

/* The stack pointer of an entry. */
static always_inline uintptr_t native_stack_pointer(const struct native_stack *stack,
                                                    uint32_t at) {
    return (uintptr_t)(stack->slots[at].at + 1);
}

/* Brings the stack up to date; `leaf` is its top frame. Returns the outermost entry
 * that changed, or the depth if none did. Without memory the stack is empty. */
uint32_t native_stack_walk(struct native_stack *stack,
                           const struct native_registers *leaf);

/* The entry from which on the outermost `kept` ones are compared: only those inside it
 * are shown. */
uint32_t native_stack_outermost_shown(const struct native_stack *stack, uint32_t kept);

/* Drops the cached stack. */
void native_stack_forget(struct native_stack *stack);
void native_stack_release(struct native_stack *stack);
