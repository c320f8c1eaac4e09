/* SPDX-License-Identifier: MIT */
#include "stack/native/native_suffix.h"

#include <assert.h>
#include <string.h>

#include "base/hash.h"
#include "stack/native/x86_64/native_step.h"

/* Suffixes with the same slot of the top frame mostly differ in their second frame, or
 * in where the evaluation calls from. */
static always_inline struct native_suffix *set_of(struct native_suffixes *suffixes,
                                                  const uint64_t *slot, uint64_t second,
                                                  uint64_t evaluation) {
    uint64_t hash = hash_mix((uint64_t)(uintptr_t)slot ^ second << 12 ^ second << 2 ^
                             evaluation << 20 ^ evaluation);
    static_assert(NATIVE_SUFFIX_SETS == 1 << (64 - 57), "the upper bits of the hash");
    return suffixes->ways[hash >> 57];
}

/* The top frame is one of our hooks, whose unwind entry is always plain. */
static cold_path bool find_leaf(struct native_suffix_leaf *known,
                                const struct native_registers *leaf) {
    const struct unwind_entry *entry = unwind_table_find(leaf->ip, leaf->exact);
    if (!native_step_is_plain(entry))
        return false;
    *known = (struct native_suffix_leaf){
        .ip = leaf->ip,
        .epoch = unwind_table.epoch,
        .slot = entry->cfa - (int32_t)sizeof(uint64_t),
        .is_rbp = native_step_uses_rbp(entry),
    };
    return true;
}

/* Few places in the hooks ask for a stack, so their entries are at hand. */
static always_inline const uint64_t *caller_slot(struct native_suffixes *suffixes,
                                                 const struct native_registers *leaf) {
    struct native_suffix_leaf *known = &suffixes->leaves[hash_mix(leaf->ip) >> 61];
    static_assert(NATIVE_SUFFIX_LEAVES == 1 << (64 - 61), "the upper bits of the hash");
    if (unlikely(known->ip != leaf->ip || known->epoch != unwind_table.epoch) &&
        !find_leaf(known, leaf))
        return NULL;
    uint64_t base = known->is_rbp ? leaf->rbp : leaf->sp;
    return (const uint64_t *)(base + (uint64_t)(int64_t)known->slot);
}

static always_inline bool is_this(const struct native_suffix *suffix,
                                  const struct native_registers *leaf,
                                  const struct native_stack *stack, uint32_t base) {
    const struct native_slot *slot = suffix->slots + suffix->count;
    if (suffix->epoch != stack->epoch || suffix->base_at != stack->slots[base].at ||
        suffix->base_value != stack->slots[base].value || slot[-1].at != leaf->slot ||
        (suffix->by_register && suffix->rbp != leaf->rbp))
        return false;
    return native_slots_are_unchanged(suffix->slots, slot) &&
           native_slots_are_unchanged(suffix->rbps, suffix->rbps + suffix->rbp_count);
}

struct native_suffix *native_suffix_find(struct native_suffixes *suffixes,
                                         const struct native_registers *leaf,
                                         const struct native_stack *stack,
                                         uint32_t base) {
    const uint64_t *second = caller_slot(suffixes, leaf);
    const uint64_t *evaluation = stack->slots[base + 1].at;
    if (unlikely(second == NULL || second > evaluation))
        return NULL;
    struct native_suffix *ways =
        set_of(suffixes, leaf->slot, native_word(second), native_word(evaluation));
    for (uint32_t i = 0; i < NATIVE_SUFFIX_WAYS; i++)
        if (is_this(&ways[i], leaf, stack, base))
            return &ways[i];
    return NULL;
}

/* Whether any frame depends on the rbp that the top frame has in the register. */
static bool depends_on_register(const struct native_stack *stack) {
    for (uint32_t i = 0; i < stack->depth; i++)
        if ((stack->frames[i].flags & NATIVE_BY_REGISTER) != 0)
            return true;
    return false;
}

/* Whether the frames are on one stack: addresses fall from the evaluation inwards. */
static bool is_plain(const struct native_stack *stack, uint32_t base) {
    for (uint32_t i = base + 1; i < stack->depth; i++)
        if (stack->frames[i].exact || stack->slots[i].at >= stack->slots[i - 1].at)
            return false;
    return true;
}

static void note_frames(struct native_suffix *suffix,
                        const struct native_frame *frames) {
    suffix->rbp_count = 0;
    for (uint32_t i = 0; i < suffix->count; i++) {
        suffix->keys[i] = frames[i].key;
        if (frames[i].rbp_at != NULL)
            suffix->rbps[suffix->rbp_count++] =
                (struct native_slot){frames[i].rbp_at, frames[i].rbp};
    }
}

struct native_suffix *native_suffix_note(struct native_suffixes *suffixes,
                                         const struct native_stack *stack,
                                         uint32_t base) {
    uint32_t count = stack->depth - 1 - base, last = stack->depth - 1;
    if (count < 2 || count > NATIVE_SUFFIX_MAX || !is_plain(stack, base))
        return NULL;
    const struct native_slot *leaf = &stack->slots[last];
    struct native_suffix *ways =
        set_of(suffixes, leaf->at, leaf[-1].value, stack->slots[base + 1].value);
    struct native_suffix *suffix = &ways[suffixes->next++ % NATIVE_SUFFIX_WAYS];
    suffix->base_at = stack->slots[base].at;
    suffix->base_value = stack->slots[base].value;
    suffix->epoch = stack->epoch;
    suffix->count = count;
    suffix->rbp = stack->frames[last].rbp;
    suffix->by_register = depends_on_register(stack);
    memset(suffix->results, 0, sizeof suffix->results);
    memcpy(suffix->slots, stack->slots + base + 1, count * sizeof *suffix->slots);
    note_frames(suffix, stack->frames + base + 1);
    return suffix;
}
