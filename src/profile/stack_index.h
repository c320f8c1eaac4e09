/* SPDX-License-Identifier: MIT */
/* The stacks of a profile as windows: the most recent `nframe` frames of each, which is
 * what reports show.
 *
 * For offline code; allocates; one thread at a time. Whatever the depth d of a stack
 * and the limit, a window is hashed in O(log d) and compared in O(log^2 d), so that a
 * small file cannot keep a report busy:
 *
 *   ancestors  by skew-binary jump pointers, one for each node (Myers, An applicative
 *              random-access stack, 1983)
 *   hashes     H(node) = H(parent) * B + value(frame) modulo 2^61 - 1; k frames that
 *              end at a node have the hash H(node) - H(its ancestor k further up) * B^k
 */
#pragma once

#include <stdint.h>

#include "base/compiler.h"
#include "profile/profile.h"

struct stack_index {
    const struct profile *profile;
    uint32_t nframe;
    uint32_t *depths; /* frames from the root; 0 for the empty stack */
    uint32_t *jumps;
    uint64_t *hashes;
    uint64_t *powers; /* B^k, k up to the longest window */
};

/* 0 or -ENOMEM. The profile outlives the index. */
must_check int stack_index_open(struct stack_index *index,
                                const struct profile *profile);

void stack_index_close(struct stack_index *index);

/* Frames that are shown of a stack; 1 for the empty one, whose frame is `<unknown>`. */
uint32_t stack_index_window(const struct stack_index *index, uint32_t stack);

/* The node `up` frames above a stack, at most up to the empty stack. */
uint32_t stack_index_ancestor(const struct stack_index *index, uint32_t stack,
                              uint32_t up);

/* Of the whole window. Equal windows of profiles with one name table have equal
 * hashes. */
uint64_t stack_index_hash(const struct stack_index *index, uint32_t stack);

/* As tuples of (file name, line), the oldest frame first: below, above or 0, as in
 * memcmp. */
int stack_index_compare(const struct stack_index *first, uint32_t first_stack,
                        const struct stack_index *second, uint32_t second_stack);

/* Two frames as tuples of (file name, line). Of profiles with one name table. */
int stack_index_compare_frames(const struct profile *profile, struct frame first,
                               struct frame second);
