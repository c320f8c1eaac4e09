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
    NATIVE_SUFFIX_MAX = 12,
    NATIVE_SUFFIX_RESULTS = 4,
    NATIVE_SUFFIX_SETS = 128,
    NATIVE_SUFFIX_WAYS = 2
};

struct native_suffix {
    const uint64_t *base_at; /* the slot of the evaluation's caller */
    uint64_t base_value;
    uint32_t epoch; /* of unwind_table; 0: no tail */
    uint32_t count; /* frames */
    uint64_t rbp;   /* of the leaf */
    bool by_register;
    uint32_t rbp_count;
    struct native_slot slots[NATIVE_SUFFIX_MAX]; /* the leaf is the last */
    struct native_slot rbps[NATIVE_SUFFIX_MAX];  /* that frames depend on */
    uint64_t keys[NATIVE_SUFFIX_MAX]; /* of those that are shown as such, else 0 */
    struct {
        uint32_t parent;
        uint32_t node;
    } results[NATIVE_SUFFIX_RESULTS]; /* what it came to above a node; never above 0 */
};

struct native_suffixes {
    uint32_t next; /* way that is used again next */
    struct native_suffix ways[NATIVE_SUFFIX_SETS][NATIVE_SUFFIX_WAYS];
};

/* The tail that ends with this leaf now, above the entry `base`, the evaluation's
 * caller; NULL: not known. */
struct native_suffix *native_suffix_find(struct native_suffixes *tails,
                                         const struct native_registers *leaf,
                                         const struct native_stack *stack,
                                         uint32_t base);

/* Notes the entries above `base` as a tail, and how their keys are shown. Not those
 * that are too many, or partly on another stack. NULL when it is none. */
struct native_suffix *native_suffix_note(struct native_suffixes *tails,
                                         const struct native_stack *stack,
                                         uint32_t base);
