/* SPDX-License-Identifier: MIT */
#include "event/event_sampled.h"

static uint32_t find_bucket(struct event_guard guard, uint32_t domain, size_t size,
                            enum event_gil gil) {
    uint32_t stack = event_capture(guard, gil);
    return bucket_cache_find(guard, &guard.thread->buckets, stack, domain, size);
}

static void *record(struct thread_state *self, void *block, size_t size,
                    uint32_t domain, enum event_gil gil) {
    if (!sampler_take(&self->sampler, size, tracer.sample_distance))
        return block;
    struct event_guard guard = event_begin(self);
    if (likely(gate.active && block_map.is_sampled)) {
        uint32_t bucket = find_bucket(guard, domain, size, gil);
        tracer_insert_sampled(guard, (uintptr_t)block, bucket);
        if (gil == EVENT_WITH_GIL)
            event_last_block = (uintptr_t)block;
        timeline_tick(guard);
    }
    event_end(guard);
    return block;
}

void *event_sampled_alloc(struct thread_state *self, void *block, size_t size,
                          enum event_gil gil) {
    return record(self, block, size, TRACEMALLOC_DUMP_DOMAIN_PYTHON, gil);
}

void *event_sampled_alloc_libc(struct thread_state *self, void *block, size_t size) {
    return record(self, block, size, TRACEMALLOC_DUMP_DOMAIN_LIBC, EVENT_ANY_THREAD);
}

uint32_t event_sampled_take(struct thread_state *self, const void *block,
                            enum tracer_family by) {
    struct event_guard guard = event_begin(self);
    uint32_t bucket = gate.active ? tracer_take(guard, (uintptr_t)block, by) : 0;
    self->generation = tracer.generation;
    event_end(guard);
    return bucket;
}

void event_sampled_replaced(struct thread_state *self, const void *block,
                            uint32_t bucket) {
    struct event_guard guard = event_begin(self);
    if (event_realloc_is_current(guard, bucket))
        tracer_replaced_sampled(guard, (uintptr_t)block, bucket);
    event_end(guard);
}

void event_sampled_reuse(struct thread_state *self, const void *block) {
    struct event_guard guard = event_begin(self);
    uint32_t *slot = block_map_find((uintptr_t)block);
    uint32_t old = slot != NULL ? *slot & BLOCK_MAP_BUCKET : 0;
    if (gate.active && old != 0) {
        const struct tracemalloc_dump_bucket *bucket = bucket_table.buckets + old;
        tracer_move(guard, slot,
                    find_bucket(guard, bucket_site(bucket)->domain, bucket->size,
                                EVENT_WITH_GIL));
    }
    event_end(guard);
}
