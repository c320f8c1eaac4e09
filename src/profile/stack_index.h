/* SPDX-License-Identifier: MIT */
/* Hashes and compares the windows of stacks: the most recent `nframe` frames of each,
 * which are what reports show.
 *
 * For offline code; allocates; one thread at a time. A window of a stack of depth d is
 * hashed in O(log d) and compared in O(log^2 d), whatever the limit, so that a small
 * damaged file cannot cost much time:
 *
 *   ancestors  by skew-binary jump pointers, one for each node (Myers, An applicative
 *              random-access stack, 1983)
 *   hashes     H(node) = H(parent) * B + value(frame) modulo 2^61 - 1; the innermost k
 *              frames of a node have the hash H(node) - H(its k-th ancestor) * B^k
 */
#pragma once

#include <stdint.h>

#include "base/compiler.h"
#include "profile/profile.h"

struct stack_index {
    const struct profile *profile;
    uint32_t nframe;
    uint32_t *depths; /* by stack: frames; 0 for the empty stack */
    uint32_t *jumps;  /* by stack: an ancestor, see above */
    uint64_t *hashes; /* by stack: H */
    uint64_t *powers; /* B^k, for k up to the longest window */
};

/* 0 or -ENOMEM. The profile must outlive the index. */
must_check int stack_index_open(struct stack_index *index,
                                const struct profile *profile);

void stack_index_close(struct stack_index *index);

/* The number of frames shown of a stack; 1 for the empty one, shown as `<unknown>`. */
uint32_t stack_index_window(const struct stack_index *index, uint32_t stack);

/* The stack without its innermost `count` frames; the empty stack if there are no more
 * than that. */
uint32_t stack_index_ancestor(const struct stack_index *index, uint32_t stack,
                              uint32_t count);

/* The hash of the whole window. Profiles with one name table have equal hashes for
 * equal windows. */
uint64_t stack_index_hash(const struct stack_index *index, uint32_t stack);

/* Compares two windows as tuples of (file name, line), outermost frame first; the
 * result is that of memcmp. */
int stack_index_compare(const struct stack_index *first, uint32_t first_stack,
                        const struct stack_index *second, uint32_t second_stack);

/* Compares two frames, of profiles with one name table, as tuples of (file name,
 * line). */
int stack_index_compare_frames(const struct profile *profile, struct frame first,
                               struct frame second);
