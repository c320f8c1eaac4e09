/* SPDX-License-Identifier: MIT */
/* The path of an event in a process that samples its blocks: as event.h, for the hooks,
 * where event_is_sampled.
 *
 * An allocation counts down the bytes up to the thread's next sample, and a free reads
 * one bit that says of nearly all blocks that they were not sampled. Neither takes a
 * lock, reads a stack or touches the tables, unless a sample is due.
 *
 * Any thread.
 */
#pragma once

#include "event/event.h"
#include "trace/sampler.h"

/* Whether allocations are sampled now. */
static always_inline bool event_is_sampled(void) {
    if (likely(gate_flag(open)))
        return false;
    return gate_flag(sampled) || (unlikely(event_file_deferred) &&
                                  tracer.sample_distance != 0 && event_create_file());
}

/* The usual allocation, which is not sampled: counts it down before the real one, and
 * returns the thread's state, marked as in the allocator until event_sampled_end. It
 * does not matter if the real one fails: no point was in its bytes. NULL: nothing is
 * done. */
static always_inline struct thread_state *event_sampled_begin(size_t size) {
    struct thread_state *self = thread_state_own;
    if (unlikely(!gate_flag(sampled) || !thread_state_is_idle(self) ||
                 sampler_is_due(&self->sampler, size)))
        return NULL;
    self->in_allocator = true;
    return self;
}

static always_inline void *event_sampled_end(struct thread_state *self, void *block) {
    self->in_allocator = false;
    return block;
}

/* An allocation whose sample is due. They return the block. */
void *event_sampled_alloc(struct thread_state *self, void *block, size_t size,
                          enum event_gil gil);
void *event_sampled_alloc_libc(struct thread_state *self, void *block, size_t size);

/* Before the real realloc of a block that may have been sampled: its bucket, for
 * event_sampled_replaced or event_realloc_failed. 0: it was not. */
uint32_t event_sampled_take(struct thread_state *self, const void *block,
                            enum tracer_family by);
/* The real realloc succeeded: the block of that bucket is no more. */
void event_sampled_replaced(struct thread_state *self, const void *block,
                            uint32_t bucket);

/* An object came back from a free list in this block, which may have been sampled: it
 * moves to the stack of this event. With the GIL. */
void event_sampled_reuse(struct thread_state *self, const void *block);
