/* SPDX-License-Identifier: MIT */
#include "profile/stack_index.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/limits.h"

/* A Mersenne prime: products are reduced by a shift and an addition. */
static const uint64_t modulus = ((uint64_t)1 << 61) - 1;
static const uint64_t hash_base = 0x11bd5a3c6e4f2097u;

static uint64_t reduce(uint64_t value) {
    return value >= modulus ? value - modulus : value;
}

static uint64_t multiply(uint64_t first, uint64_t second) {
    unsigned __int128 product = (unsigned __int128)first * second;
    return reduce(((uint64_t)product & modulus) + (uint64_t)(product >> 61));
}

static uint64_t subtract(uint64_t first, uint64_t second) {
    return reduce(first + modulus - second);
}

/* Frames of a module that was unloaded and loaded again are different frames. */
static uint64_t frame_value(const struct profile *profile, uint32_t stack) {
    struct frame frame = profile_frame(profile, stack);
    const struct dump_native *native = profile_native(profile, stack);
    uint64_t both = (uint64_t)frame.name << 32 | frame.line;
    uint64_t load_instance = native == NULL ? 0 : native->load_instance;
    return reduce(hash_pair(both, 0x5bd1e995 + load_instance) >> 3);
}

static int allocate(struct stack_index *index) {
    size_t count = index->profile->reader->stack_count;
    index->depths = calloc(count, sizeof *index->depths);
    index->jumps = calloc(count, sizeof *index->jumps);
    index->hashes = calloc(count, sizeof *index->hashes);
    bool failed =
        index->depths == NULL || index->jumps == NULL || index->hashes == NULL;
    return failed ? -ENOMEM : 0;
}

/* Parents come before their children. Returns the largest depth. */
static uint32_t fill(struct stack_index *index) {
    const struct dump_reader *reader = index->profile->reader;
    uint32_t *depths = index->depths, *jumps = index->jumps, deepest = 0;
    for (uint32_t id = 1; id < reader->stack_count; id++) {
        uint32_t parent = reader->stacks[id].parent, jump = jumps[parent];
        bool equal =
            depths[parent] - depths[jump] == depths[jump] - depths[jumps[jump]];
        depths[id] = depths[parent] + 1;
        jumps[id] = equal ? jumps[jump] : parent;
        index->hashes[id] = reduce(multiply(index->hashes[parent], hash_base) +
                                   frame_value(index->profile, id));
        deepest = depths[id] > deepest ? depths[id] : deepest;
    }
    return deepest;
}

static int fill_powers(struct stack_index *index, uint32_t deepest) {
    uint32_t max = limits_window(deepest, index->nframe);
    index->powers = calloc((size_t)max + 1, sizeof *index->powers);
    if (index->powers == NULL)
        return -ENOMEM;
    index->powers[0] = 1;
    for (uint32_t k = 1; k <= max; k++)
        index->powers[k] = multiply(index->powers[k - 1], hash_base);
    return 0;
}

int stack_index_open(struct stack_index *index, const struct profile *profile) {
    *index = (struct stack_index){.profile = profile,
                                  .nframe = profile->reader->header.nframe};
    int error = allocate(index);
    if (error == 0)
        error = fill_powers(index, fill(index));
    if (error < 0)
        stack_index_close(index);
    return error;
}

void stack_index_close(struct stack_index *index) {
    free(index->depths);
    free(index->jumps);
    free(index->hashes);
    free(index->powers);
    *index = (struct stack_index){0};
}

uint32_t stack_index_window(const struct stack_index *index, uint32_t stack) {
    assert(stack < index->profile->reader->stack_count);
    uint32_t depth = index->depths[stack];
    if (stack == TRACEMALLOC_DUMP_EMPTY_STACK)
        return 1;
    return limits_window(depth, index->nframe);
}

uint32_t stack_index_ancestor(const struct stack_index *index, uint32_t stack,
                              uint32_t count) {
    assert(stack < index->profile->reader->stack_count);
    uint32_t depth = index->depths[stack], wanted = count < depth ? depth - count : 0;
    while (index->depths[stack] > wanted) {
        uint32_t jump = index->jumps[stack];
        bool too_far = index->depths[jump] < wanted;
        stack = too_far ? index->profile->reader->stacks[stack].parent : jump;
    }
    return stack;
}

/* Hashes the outermost `count` frames of a window of `window` frames. */
static uint64_t hash_outermost(const struct stack_index *index, uint32_t stack,
                               uint32_t window, uint32_t count) {
    if (stack == TRACEMALLOC_DUMP_EMPTY_STACK)
        return frame_value(index->profile, stack);
    uint32_t last = stack_index_ancestor(index, stack, window - count);
    uint32_t outside = stack_index_ancestor(index, last, count);
    uint64_t shifted = multiply(index->hashes[outside], index->powers[count]);
    return subtract(index->hashes[last], shifted);
}

uint64_t stack_index_hash(const struct stack_index *index, uint32_t stack) {
    uint32_t window = stack_index_window(index, stack);
    return hash_outermost(index, stack, window, window);
}

static int compare_numbers(uint64_t first, uint64_t second) {
    return (first > second) - (first < second);
}

int stack_index_compare_frames(const struct profile *profile, struct frame first,
                               struct frame second) {
    if (first.name == second.name)
        return compare_numbers(first.line, second.line);
    struct dump_text a = profile_filename(profile, first),
                     b = profile_filename(profile, second);
    /* Code points compare as their UTF-8 bytes do. */
    int order = memcmp(a.bytes, b.bytes, a.length < b.length ? a.length : b.length);
    return order != 0 ? order : compare_numbers(a.length, b.length);
}

int stack_index_compare(const struct stack_index *first, uint32_t first_stack,
                        const struct stack_index *second, uint32_t second_stack) {
    uint32_t first_window = stack_index_window(first, first_stack);
    uint32_t second_window = stack_index_window(second, second_stack);
    uint32_t shorter = first_window < second_window ? first_window : second_window;
    /* Binary search: the outermost `equal` frames are equal, `different` ones are
     * not. */
    uint32_t equal = 0, different = shorter + 1;
    while (different - equal > 1) {
        uint32_t middle = equal + (different - equal) / 2;
        if (hash_outermost(first, first_stack, first_window, middle) ==
            hash_outermost(second, second_stack, second_window, middle))
            equal = middle;
        else
            different = middle;
    }
    if (equal == shorter)
        return compare_numbers(first_window, second_window);
    uint32_t a = stack_index_ancestor(first, first_stack, first_window - equal - 1);
    uint32_t b = stack_index_ancestor(second, second_stack, second_window - equal - 1);
    return stack_index_compare_frames(first->profile, profile_frame(first->profile, a),
                                      profile_frame(second->profile, b));
}
