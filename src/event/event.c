/* SPDX-License-Identifier: MIT */
#include "event/event.h"

#include <errno.h>
#include <string.h>

uintptr_t event_last_block;
enum gate_path event_path = GATE_SLOW_PATH;
bool event_file_deferred;
bool (*event_create_file)(void);
void (*event_do_request)(void);

cold_path void event_freeze(void) {
    event_python_never_finalizing();
    if (gate.active)
        tracer_freeze();
}

/* In a signal handler: the interrupted code may be using the slot, so the free
 * waits. */
static void defer(struct thread_state *self, uintptr_t block, enum tracer_family by) {
    self->has_deferred = true;
    if (self->deferred_count < THREAD_STATE_DEFERRED)
        self->deferred[self->deferred_count++] = block | by;
    else
        self->lost++;
}

static void report_lost(struct thread_state *self) {
    struct event_guard guard = event_begin(self);
    if (gate.active)
        tracer.dump->header->lost[TRACEMALLOC_DUMP_LOST_NESTED] += self->lost;
    self->lost = 0;
    tracer_leave(guard);
    self->in_tracer = false;
}

void event_open_window(struct thread_state *self) {
    if (signal_window_open(!self->ended))
        self->has_deferred = true;
}

static void do_deferred(struct thread_state *self) {
    while (self->deferred_count > 0) {
        uintptr_t block = self->deferred[--self->deferred_count];
        event_free_slow_path((const void *)(block & ~(uintptr_t)1), block & 1,
                             EVENT_ANY_THREAD);
    }
    if (self->lost > 0)
        report_lost(self);
    if (self->request_deferred) {
        self->request_deferred = false;
        event_do_request();
    }
}

/* The window stays open until the last deferred free is done. */
void event_do_deferred(struct thread_state *self) {
    self->has_deferred = false;
    do_deferred(self);
    if (signal_window_is_open())
        signal_window_close();
}

static always_inline void remove_slot(struct event_guard guard, uintptr_t block,
                                      uint32_t *slot, enum tracer_family by,
                                      enum event_gil gil) {
    if (likely(gate.active && *slot != 0)) {
        uint32_t bucket = tracer_take_slot(guard, block, slot, by);
        tracer_uncount(guard, bucket);
        if (bucket != 0 && event_is_last(guard.thread, (const void *)block, gil))
            tracer_count_temporary(guard, bucket_at(bucket));
    }
    event_end(guard);
}

/* Frees for a thread that has no state yet, or that a signal interrupted in the
 * tracer. */
static cold_path void remove_first(uintptr_t block, uint32_t *slot,
                                   enum tracer_family by) {
    struct thread_state *self = thread_state_get();
    if (self->in_tracer)
        defer(self, block, by);
    else if (gate.active)
        remove_slot(event_begin(self), block, slot, by, EVENT_ANY_THREAD);
}

static cold_path void free_sampled(uintptr_t block, enum tracer_family by) {
    if (!block_map_may_be_sampled(block))
        return;
    struct thread_state *self = thread_state_get();
    if (self->in_tracer) {
        defer(self, block, by);
        return;
    }
    struct event_guard guard = event_begin(self);
    if (likely(gate.active))
        tracer_remove_sampled(guard, block, by);
    event_end(guard);
}

/* In a child that has no file yet. */
static cold_path void free_without_file(uintptr_t block, enum tracer_family by) {
    uint32_t *slot = block_map_find(block);
    if (slot != NULL && *slot != 0 && thread_state_is_in_tracer(thread_state_own))
        remove_first(block, slot, by);
}

bool event_free_inexact(const void *block) {
    return gate.active ? !address_map_passes(&block_map_sampled, (uintptr_t)block)
                       : !event_file_deferred;
}

bool event_free_near(const void *block) {
    struct event_guard guard = event_guard_fast(thread_state_own);
    uint32_t *slot = block_map_find_fast((uintptr_t)block);
    bool is_last = event_is_last(thread_state_own, block, EVENT_WITH_GIL);
    return event_free_end(guard, gate.active && slot != NULL &&
                                     tracer_remove_near(guard, slot, is_last));
}

void event_free_slow_path(const void *block, enum tracer_family by,
                          enum event_gil gil) {
    struct thread_state *self = thread_state_own;
    uintptr_t address = (uintptr_t)block;
    if (unlikely(!gate.exact)) {
        if (block_map.is_sampled)
            free_sampled(address, by);
        else
            free_without_file(address, by);
        return;
    }
    uint32_t *slot = block_map_find(address);
    if (unlikely(slot == NULL || *slot == 0))
        return;
    if (unlikely(thread_state_is_in_tracer(self))) {
        remove_first(address, slot, by);
        return;
    }
    /* Compiled once for each: what there is to release is known. */
    struct event_guard guard = event_begin_as(self, gil);
    if (guard.lock == EVENT_LOCKED)
        remove_slot((struct event_guard){self, EVENT_LOCKED}, address, slot, by, gil);
    else
        remove_slot(guard, address, slot, by, gil);
}

/* A thread that is in the tracer was interrupted by a signal and may hold the lock, so
 * the lost block is counted in the header later. */
struct thread_state *event_thread_slow_path(struct thread_state *self) {
    if (self == &thread_state_none)
        self = thread_state_get();
    if (thread_state_is_idle(self))
        return self;
    if (!self->in_allocator) {
        self->lost++;
        self->has_deferred = true;
    }
    return NULL;
}

struct thread_state *event_thread_of_call(int *error) {
    *error = -EALREADY;
    if (!event_is_active())
        return NULL;
    struct thread_state *self = thread_state_get();
    if (!self->in_tracer)
        return self;
    *error = -EBUSY;
    self->lost++;
    self->has_deferred = true;
    return NULL;
}

void event_clear_cache(struct thread_state *self) {
    memset(self->cache.entries, 0, sizeof self->cache.entries);
    self->cache.epoch = self->python.epoch;
}

/* Caches the bucket, so that the next event of this top frame and size can take the
 * fast path, if this tracing has one. */
static void cache_bucket(struct thread_state *self, uint32_t bucket, uint64_t size) {
    const struct python_frame *leaf = self->python.leaf;
    uint32_t parent = self->python.parent;
    if (event_path == GATE_SLOW_PATH || leaf == NULL || bucket == 0)
        return;
    size_t index = event_cache_index(parent, leaf->ip, size);
    self->cache.entries[index] =
        (struct event_cache_entry){leaf->ip, size, bucket_at(bucket), bucket, parent};
    self->cache.nodes[index] = leaf->node;
}

static uint32_t find_bucket(struct event_guard guard, uint64_t size, uint32_t stack) {
    struct thread_state *self = guard.thread;
    uint32_t bucket = bucket_table_last(guard, stack, size);
    if (bucket == 0)
        bucket = bucket_cache_find(guard, &self->buckets, stack,
                                   TRACEMALLOC_DUMP_DOMAIN_PYTHON, size);
    cache_bucket(self, bucket, size);
    return bucket;
}

/* The bucket, if only a few calls or returns happened since the previous event; else
 * 0. */
static always_inline uint32_t nearby_bucket(struct event_guard guard, uint64_t size) {
    struct thread_state *self = guard.thread;
    const char *tstate = self->python.leaf != NULL ? *self->current : NULL;
    const char *frame =
        tstate != NULL ? python_stack_leaf(&python_walk.layout, tstate) : NULL;
    struct python_frame *leaf =
        frame != NULL ? python_stack_step(&self->python, frame) : NULL;
    if (unlikely(leaf == NULL)) {
        python_stack_drop_leaf(&self->python);
        return 0;
    }
    const struct event_cache_entry *cached = event_cache_find(self, leaf->ip, size);
    if (unlikely(cached == NULL))
        return find_bucket(guard, size, python_stack_resolve(&self->python));
    leaf->node = self->cache.nodes[cached - self->cache.entries];
    return cached->id;
}

void *event_alloc_nearby(struct thread_state *self, void *block, size_t size,
                         enum event_gil gil) {
    struct event_guard guard = event_guard_fast(self);
    uint32_t bucket =
        likely(*event_python.finalizing == NULL) ? nearby_bucket(guard, size) : 0;
    if (unlikely(bucket == 0))
        return event_alloc_again(self, block, size, gil);
    return event_alloc_near(self, block, size, gil, bucket);
}

void *event_alloc_near(struct thread_state *self, void *block, size_t size,
                       enum event_gil gil, uint32_t bucket) {
    struct event_guard guard = event_guard_fast(self);
    if (unlikely(!tracer_insert_near(guard, (uintptr_t)block, bucket, size)))
        return event_alloc_again(self, block, size, gil);
    return event_alloc_end(guard, block, gil);
}

/* While the lock is not biased, all events of a process with many threads take the slow
 * path. It first tries what the fast path would. */
static always_inline uint32_t threads_bucket(struct event_guard guard, uint64_t size) {
    struct thread_state *self = guard.thread;
    const char *tstate = *self->current;
    if (unlikely(tstate == NULL))
        return 0;
    const struct event_cache_entry *cached =
        likely(event_path == GATE_FAST_PATH_RECENT)
            ? event_cache_find_unchanged(&python_recent_layout, self, tstate, size)
            : event_cache_find_unchanged(&python_walk.layout, self, tstate, size);
    return likely(cached != NULL) ? cached->id : nearby_bucket(guard, size);
}

void *event_alloc_slow_path(struct thread_state *self, void *block, size_t size,
                            enum event_gil gil) {
    struct event_guard guard = event_begin_as(self, gil);
    if (likely(gate.exact)) {
        bool has_stack = guard.lock == EVENT_LOCKED && gil == EVENT_WITH_GIL &&
                         event_path != GATE_SLOW_PATH;
        uint32_t bucket = has_stack ? threads_bucket(guard, size) : 0;
        if (bucket == 0)
            bucket = find_bucket(guard, size, event_capture(guard, gil));
        tracer_insert(guard, (uintptr_t)block, bucket);
        if (gil == EVENT_WITH_GIL)
            event_last_block = self->last_block = (uintptr_t)block;
        timeline_event(guard);
    }
    event_end(guard);
    return block;
}

void *event_alloc_again(struct thread_state *self, void *block, size_t size,
                        enum event_gil gil) {
    event_leave_fast(self);
    return event_alloc_slow_path(self, block, size, gil);
}

/* The bucket of the current stack, in the block's domain and size. */
static uint32_t moved_bucket(struct event_guard guard, uint32_t old) {
    const struct tracemalloc_dump_bucket *bucket = bucket_table.buckets + old;
    bool is_python_block = (bucket->site & TRACEMALLOC_DUMP_NOT_PYTHON) == 0;
    uint32_t moved = is_python_block && event_path != GATE_SLOW_PATH
                         ? nearby_bucket(guard, bucket->size)
                         : 0;
    if (moved != 0)
        return moved;
    uint32_t stack = event_capture(guard, EVENT_WITH_GIL);
    return is_python_block
               ? find_bucket(guard, bucket->size, stack)
               : bucket_cache_find(guard, &guard.thread->buckets, stack,
                                   bucket_site(bucket)->domain, bucket->size);
}

void event_reuse_slow_path(struct thread_state *self, uintptr_t block, uint32_t *slot) {
    struct event_guard guard = event_begin_as(self, EVENT_WITH_GIL);
    uint32_t old = *slot & BLOCK_MAP_BUCKET;
    if (gate.active && old != 0) {
        if (self->last_block == block)
            tracer_count_temporary(guard, bucket_at(old));
        self->last_block = block;
        tracer_move(guard, slot, moved_bucket(guard, old));
    }
    event_end(guard);
}

void *event_alloc_tick(struct thread_state *self, void *block) {
    struct event_guard guard = event_guard_fast(self);
    timeline_tick(guard);
    event_end(guard);
    return block;
}

void *event_alloc_deferred(struct thread_state *self, void *block) {
    event_do_deferred(self);
    return block;
}

cold_path void event_keep_birth(struct thread_state *self, const void *block,
                                uint8_t birth) {
    struct event_guard guard = event_begin(self);
    if (gate.active)
        tracer_keep_birth(guard, (uintptr_t)block, birth);
    event_end(guard);
}
