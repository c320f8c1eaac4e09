/* SPDX-License-Identifier: MIT */
#include "stack/native/native_stack.h"

#include <string.h>

#include "base/arena.h"
#include "stack/native/native_code.h"
#include "stack/native/x86_64/native_step.h"

enum { FIRST_FRAMES = 128, MAX_FRAMES = 1 << 16 };

static const uint64_t max_code = ((uint64_t)1 << NATIVE_CODE_BITS) - 1;

void native_stack_forget(struct native_stack *stack) {
    stack->depth = stack->outermost_shown = 0;
}

void native_stack_release(struct native_stack *stack) {
    if (stack->slots != NULL)
        arena_unmap(stack->slots, stack->capacity * sizeof *stack->slots);
    if (stack->frames != NULL)
        arena_unmap(stack->frames, stack->capacity * sizeof *stack->frames);
    *stack = (struct native_stack){0};
}

/* The `pushed` new entries are at the end of the arrays, and stay there. */
static cold_path bool grow(struct native_stack *stack, uint32_t kept, uint32_t pushed) {
    struct native_stack old = *stack;
    uint32_t capacity = old.capacity == 0 ? FIRST_FRAMES : old.capacity * 2;
    if (capacity > MAX_FRAMES)
        return false;
    stack->slots = arena_map(capacity * sizeof *stack->slots);
    stack->frames = arena_map(capacity * sizeof *stack->frames);
    stack->capacity = capacity;
    if (stack->slots == NULL || stack->frames == NULL) {
        native_stack_release(stack);
        *stack = old;
        return false;
    }
    if (old.capacity == 0)
        return true;
    memcpy(stack->slots, old.slots, kept * sizeof *old.slots);
    memcpy(stack->frames, old.frames, kept * sizeof *old.frames);
    memcpy(stack->slots + capacity - pushed, old.slots + old.capacity - pushed,
           pushed * sizeof *old.slots);
    memcpy(stack->frames + capacity - pushed, old.frames + old.capacity - pushed,
           pushed * sizeof *old.frames);
    native_stack_release(&old);
    return true;
}

static always_inline void set_entry(struct native_stack *stack, uint32_t at,
                                    const struct native_registers *registers,
                                    const struct unwind_entry *entry) {
    bool is_saved = registers->rbp_slot != NULL, by_rbp = native_step_uses_rbp(entry);
    stack->slots[at] = (struct native_slot){registers->slot, registers->ip};
    stack->frames[at] = (struct native_frame){
        .rbp = registers->rbp,
        .rbp_at = by_rbp ? registers->rbp_slot : NULL,
        .key = entry->key,
        .first = NATIVE_NO_PYTHON,
        .end = NATIVE_NO_PYTHON,
        .flags = entry->flags | (by_rbp && !is_saved ? NATIVE_BY_REGISTER : 0),
        .exact = registers->exact,
    };
}

/* Goes to the caller's frame. False at the root, and if the walk ends before it. */
static always_inline bool step_up(struct native_stack *stack,
                                  struct native_registers *registers,
                                  const struct unwind_entry *entry) {
    bool more = native_step(registers, entry, &stack->window, &stack->broken);
    if (unlikely(more && registers->ip - 1 >= max_code)) {
        stack->broken = registers->ip != 0;
        return false;
    }
    return more;
}

/* Drops the entries of calls that are over, then says whether the last stack has this
 * frame as its entry `kept - 1`. */
static always_inline bool is_cached(const struct native_stack *stack, uint32_t *kept,
                                    const struct native_registers *registers) {
    while (*kept > 0 && stack->slots[*kept - 1].at < registers->slot)
        --*kept;
    if (*kept == 0)
        return false;
    const struct native_slot *slot = &stack->slots[*kept - 1];
    const struct native_frame *frame = &stack->frames[*kept - 1];
    if (slot->at != registers->slot)
        return false;
    if (slot->value == registers->ip && frame->rbp == registers->rbp &&
        frame->exact == registers->exact)
        return true;
    --*kept;
    return false;
}

/* Puts the frames from the top frame to the first cached one at the end of the arrays,
 * and returns their number. The outermost `kept` entries are unchanged. */
static uint32_t push_frames(struct native_stack *stack,
                            const struct native_registers *leaf, uint32_t *kept) {
    struct native_registers registers = *leaf;
    uint32_t pushed = 0;
    bool more = true;
    stack->broken = false;
    while (more && !is_cached(stack, kept, &registers)) {
        const struct unwind_entry *entry =
            unwind_table_find(registers.ip, registers.exact);
        if (unlikely(entry->rule == NATIVE_RULE_NO_CODE)) {
            stack->broken = true;
            more = false;
            break;
        }
        if (unlikely(*kept + pushed >= stack->capacity) &&
            !grow(stack, *kept, pushed)) {
            stack->broken = true;
            *kept = 0;
            return pushed;
        }
        set_entry(stack, stack->capacity - ++pushed, &registers, entry);
        more = step_up(stack, &registers, entry);
    }
    if (!more)
        *kept = 0;
    return pushed;
}

uint32_t native_stack_outermost_shown(const struct native_stack *stack, uint32_t kept) {
    const struct native_frame *frames = stack->frames;
    if (kept <= stack->max_native || frames[kept - 1].natives <= stack->max_native)
        return 0;
    uint32_t hidden = frames[kept - 1].natives - stack->max_native;
    uint32_t low = 0, high = kept;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (frames[middle].natives <= hidden)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static always_inline bool rbp_is_unchanged(const struct native_frame *frame) {
    return frame->rbp_at == NULL || native_word(frame->rbp_at) == frame->rbp;
}

uint32_t native_stack_words(const struct native_stack *stack, uint32_t first,
                            uint32_t end, struct native_slot *words, uint32_t room) {
    uint32_t count = 0;
    for (uint32_t i = first; i < end; i++) {
        const struct native_frame *frame = &stack->frames[i];
        if (count < room)
            words[count] = stack->slots[i];
        count++;
        if (frame->rbp_at != NULL && count++ < room)
            words[count - 1] = (struct native_slot){frame->rbp_at, frame->rbp};
    }
    return count;
}

/* The innermost entry from `outermost` to the one before `end` whose rbp has changed,
 * or -1. */
static int64_t verify_rbps(const struct native_stack *stack, uint32_t outermost,
                           uint32_t end) {
    for (uint32_t i = end; i-- > outermost;)
        if (!rbp_is_unchanged(&stack->frames[i]))
            return i;
    return -1;
}

/* The innermost of the outermost `kept` entries, without the last of them, that has
 * changed, or -1. */
static always_inline int64_t verify(const struct native_stack *stack, uint32_t kept) {
    uint32_t outermost = likely(kept == stack->depth)
                             ? stack->outermost_shown
                             : native_stack_outermost_shown(stack, kept);
    const struct native_slot *last = stack->slots + outermost;
    const struct native_slot *slot = stack->slots + kept - 1;
    while (slot > last && likely(native_word(slot[-1].at) == slot[-1].value))
        slot--;
    uint32_t good = (uint32_t)(slot - stack->slots);
    int64_t broken = -1;
    if (unlikely(native_stack_has_rbps(stack, outermost, kept - 1)))
        broken = verify_rbps(stack, good, kept - 1);
    return likely(broken < 0) && slot > last ? (int64_t)good - 1 : broken;
}

/* Entry by entry: memmove costs more than these few. */
static always_inline void join(struct native_stack *stack, uint32_t kept,
                               uint32_t pushed) {
    uint32_t from = stack->capacity - pushed;
    uint32_t rbps = kept > 0 ? stack->frames[kept - 1].rbps : 0;
    for (uint32_t i = 0; i < pushed; i++) {
        struct native_frame *frame = &stack->frames[kept + i];
        stack->slots[kept + i] = stack->slots[from + i];
        *frame = stack->frames[from + i];
        rbps += frame->rbp_at != NULL;
        frame->rbps = rbps;
    }
    stack->depth = kept + pushed;
}

/* If an entry outside a cached one has changed, all inside it is unwound again. */
uint32_t native_stack_walk(struct native_stack *stack,
                           const struct native_registers *leaf) {
    if (unlikely(stack->epoch != unwind_table.epoch)) {
        native_stack_forget(stack);
        stack->epoch = unwind_table.epoch;
    }
    if (unlikely(!stack->window.own))
        native_stack_forget(stack);
    native_window_open(&stack->window, leaf->sp);
    uint32_t kept = stack->depth;
    for (;;) {
        uint32_t pushed = push_frames(stack, leaf, &kept);
        int64_t broken = kept > 0 ? verify(stack, kept) : -1;
        if (likely(broken < 0)) {
            if (pushed > 0 || kept != stack->depth)
                join(stack, kept, pushed);
            return kept;
        }
        kept = (uint32_t)broken;
    }
}
