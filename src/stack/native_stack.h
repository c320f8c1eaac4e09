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
 * That a slot is part of the thread's stack follows from the one above it, so no other
 * memory is read. Under the tracer's lock, or with one thread; memory comes from the
 * arena, and nothing here calls the loader.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "stack/native_rows.h"
#include "stack/native_unwind.h"

/* What is compared of a frame, in half a cache line. */
struct native_slot {
    const uint64_t *at; /* where its instruction address lies */
    uint64_t value;
    const uint64_t *rbp_at; /* where its rbp lies, or the same as above */
    uint64_t rbp_value;
};

enum { NATIVE_NO_PYTHON = UINT32_MAX };

struct native_frame {
    uint64_t rbp;
    uint64_t key;     /* of its row */
    uint32_t first;   /* of the Python frames that it evaluates, or NATIVE_NO_PYTHON */
    uint32_t end;     /* the one behind them */
    uint32_t node;    /* the stack that ends here, see native_merge */
    uint32_t natives; /* native frames up to here that are shown */
    uint8_t flags;    /* enum native_flags */
    bool exact;
    uint16_t reserved;
};

struct native_stack {
    struct native_slot *slots; /* root first */
    struct native_frame *frames;
    uint32_t depth;
    uint32_t capacity;
    uint32_t
        lowest; /* the last entry that has to be compared: nobody sees those below */
    uint32_t epoch;       /* of native_rows */
    uint32_t most_native; /* frames that somebody sees */
    bool broken;          /* the last walk ended before the root */
};

static always_inline bool native_slot_holds(const struct native_slot *slot) {
    return *slot->at == slot->value && *slot->rbp_at == slot->rbp_value;
}

/* The same of all from `first` to the one before `end`. All are read, whatever the
 * first of them say: the loads do not wait for each other. */
static always_inline bool native_slots_hold(const struct native_slot *first,
                                            const struct native_slot *end) {
    uint64_t differs = 0;
    for (; first < end; first++)
        differs |= (*first->at ^ first->value) | (*first->rbp_at ^ first->rbp_value);
    return likely(differs == 0);
}

/* The stack pointer of an entry. */
static always_inline uintptr_t native_stack_pointer(const struct native_stack *stack,
                                                    uint32_t at) {
    return (uintptr_t)(stack->slots[at].at + 1);
}

/* As native_unwind_step. */
typedef int (*native_step)(struct native_registers *registers);

/* Brings the stack up to date; `leaf` is its innermost frame. Returns the lowest entry
 * that is not as it was, or the depth. Without memory the stack is empty. */
uint32_t native_stack_walk(struct native_stack *stack,
                           const struct native_registers *leaf, native_step step);

/* The last entry to be compared where the lowest `kept` ones stay: what is shown of
 * them is above it. */
uint32_t native_stack_lowest(const struct native_stack *stack, uint32_t kept);

/* Nothing is known of the last stack. */
void native_stack_forget(struct native_stack *stack);
void native_stack_release(struct native_stack *stack);
