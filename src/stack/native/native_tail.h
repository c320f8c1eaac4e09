/* SPDX-License-Identifier: MIT */
/* The last few ways from an evaluation of Python code to the allocator: what a thread's
 * native stacks end with.
 *
 * Events alternate between a few of them above the same evaluation, where the last
 * stack alone would have to be unwound again each time. A tail is recognised as the
 * last stack is: where it begins is known, and its addresses are only compared.
 *
 *   stack   root ... caller, evaluation, call, list_resize, hook
 *   tail                     evaluation, call, list_resize, hook
 *
 * The evaluation is part of it with the place in its code that calls, which is another
 * one for each kind of call.
 *
 * One thread's own; no lock, no memory of its own. Reads only the part of the stack
 * between the leaf and the evaluation.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "stack/native/native_stack.h"

enum {
    NATIVE_TAIL_MOST = 12,
    NATIVE_TAIL_RESULTS = 4,
    NATIVE_TAIL_SETS = 128,
    NATIVE_TAIL_WAYS = 2
};

struct native_tail {
    const uint64_t *base_at; /* the slot of the evaluation's caller */
    uint64_t base_value;
    uint32_t epoch; /* of native_rows; 0: no tail */
    uint32_t count; /* frames */
    uint64_t rbp;   /* of the leaf */
    bool by_register;
    uint32_t rbp_count;
    struct native_slot slots[NATIVE_TAIL_MOST]; /* the leaf is the last */
    struct native_slot rbps[NATIVE_TAIL_MOST];  /* that frames depend on */
    uint64_t keys[NATIVE_TAIL_MOST]; /* of those that are shown as such, else 0 */
    struct {
        uint32_t parent;
        uint32_t node;
    } results[NATIVE_TAIL_RESULTS]; /* what it came to above a node; never above 0 */
};

struct native_tails {
    uint32_t next; /* way that is used again next */
    struct native_tail ways[NATIVE_TAIL_SETS][NATIVE_TAIL_WAYS];
};

/* The tail that ends with this leaf now, above the entry `base`, the evaluation's
 * caller; NULL: not known. */
struct native_tail *native_tail_find(struct native_tails *tails,
                                     const struct native_registers *leaf,
                                     const struct native_stack *stack, uint32_t base);

/* Notes the entries above `base` as a tail, and how their keys are shown. Not those
 * that are too many, or partly on another stack. NULL when it is none. */
struct native_tail *native_tail_note(struct native_tails *tails,
                                     const struct native_stack *stack, uint32_t base);
