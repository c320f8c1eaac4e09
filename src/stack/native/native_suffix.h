/* SPDX-License-Identifier: MIT */
/* A cache of native suffixes: the frames from the innermost evaluation of Python code
 * to the allocator, with which a thread's native stacks end.
 *
 * The events inside one evaluation alternate between a few suffixes; with the last
 * stack alone each of them would be unwound again. A cached suffix is verified like the
 * last stack: its slots are known, and their values are only compared.
 *
 *   stack   root ... caller, evaluation, call, list_resize, hook
 *   suffix                  evaluation, call, list_resize, hook
 *
 * The evaluation is part of the suffix with its return address, which differs between
 * kinds of calls.
 *
 * Each thread has its own; no lock, no memory. Reads only the part of the stack between
 * the top frame and the evaluation.
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
    NATIVE_SUFFIX_WAYS = 2,
    NATIVE_SUFFIX_LEAVES = 8,
};

struct native_suffix {
    const uint64_t *base_at; /* slot of the evaluation's caller */
    uint64_t base_value;     /* its value */
    uint32_t epoch;          /* unwind_table.epoch when it was cached; 0: empty */
    uint32_t count;          /* frames */
    uint64_t rbp;            /* of the top frame */
    bool by_register;        /* the suffix depends on that */
    uint32_t rbp_count;
    struct native_slot slots[NATIVE_SUFFIX_MAX]; /* the top frame is the last */
    struct native_slot rbps[NATIVE_SUFFIX_MAX];  /* that frames depend on */
    uint64_t keys[NATIVE_SUFFIX_MAX];            /* of frames that are shown, else 0 */
    struct {
        uint32_t parent;
        uint32_t node;
    } results[NATIVE_SUFFIX_RESULTS]; /* the suffix inside a node; parent 0: empty */
};

/* Where the caller's slot is, for an instruction of a hook. */
struct native_suffix_leaf {
    uint64_t ip;    /* 0: none */
    uint32_t epoch; /* unwind_table.epoch when it was noted */
    int32_t slot;   /* bytes from its base */
    bool is_rbp;    /* the base is rbp, else rsp */
};

struct native_suffixes {
    uint32_t next; /* the way to be replaced next, in turns */
    struct native_suffix_leaf leaves[NATIVE_SUFFIX_LEAVES]; /* by ip */
    struct native_suffix ways[NATIVE_SUFFIX_SETS][NATIVE_SUFFIX_WAYS];
};

/* The cached suffix that the stack ends with now, or NULL. `leaf`: the top frame;
 * `base`: the entry of the evaluation's caller. */
struct native_suffix *native_suffix_find(struct native_suffixes *suffixes,
                                         const struct native_registers *leaf,
                                         const struct native_stack *stack,
                                         uint32_t base);

/* Caches the entries inside `base` as a suffix. NULL if they are too many, or partly on
 * another stack. */
struct native_suffix *native_suffix_note(struct native_suffixes *suffixes,
                                         const struct native_stack *stack,
                                         uint32_t base);
