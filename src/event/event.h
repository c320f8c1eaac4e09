/* SPDX-License-Identifier: MIT */
/* An event, from a hook to the tables: the path that every allocation takes.
 *
 * Any thread; a hook calls event_thread first and records only with the state that it
 * returns.
 */
#pragma once

#include <assert.h>
#include <stdatomic.h>

#include "event/event_native.h"
#include "event/event_python.h"
#include "event/signal_window.h"
#include "event/thread_state.h"
#include "trace/timeline.h"
#include "trace/tracer.h"

/* Block that the calling thread, with the GIL, allocated last: see free_lists. */
extern internal uintptr_t event_last_block;

/* Whether events may take the usual path: tracing is on, with Python frames alone. */
enum event_path {
    EVENT_SLOW_PATH,
    EVENT_FAST_PATH,
    EVENT_FAST_PATH_RECENT, /* and the frames are of python_recent_layout */
};
extern internal enum event_path event_path;
/* While the gate is closed: the child of a fork has not come to its first event, which
 * gives its dump a file. event_create_file is asked at each event until then, and says
 * whether events count. */
extern internal bool event_file_deferred;
extern internal bool (*event_create_file)(void);
/* The runtime is finalizing: freezes the counts, once. */
void event_freeze(void);
/* What signal handlers left to do while the thread was inside the tracer: frees, and
 * requests; and the closing of the window for SIGBUS. */
void event_do_deferred(struct thread_state *self);
/* Set by the agent: carries out the request that a thread put off. */
extern internal void (*event_do_request)(void);

/* NULL: the event is not one of its own, or it is lost. */
struct thread_state *event_thread_slow_path(struct thread_state *self);
/* The thread's cache of buckets is of another epoch than its stack. */
void event_clear_cache(struct thread_state *self);

static always_inline bool event_is_active(void) {
    if (likely(gate.open))
        return true;
    return unlikely(event_file_deferred) && event_create_file();
}

/* The thread's state, or NULL when an allocation is not an event of its own. */
static always_inline struct thread_state *event_thread(void) {
    if (!event_is_active())
        return NULL;
    struct thread_state *self = thread_state_own;
    return likely(thread_state_is_idle(self)) ? self : event_thread_slow_path(self);
}

/* The same for what the program calls itself, which it may do in an allocator of its
 * own that one of our hooks called. NULL: `*status` says why. */
struct thread_state *event_thread_of_call(int *status);

static always_inline uint32_t event_capture(struct thread_state *self,
                                            enum event_gil gil) {
    if (unlikely(event_native.enabled))
        return event_native_capture(self, gil == EVENT_WITH_GIL);
    if (unlikely(!event_python.enabled || self->ended))
        return TRACEMALLOC_DUMP_EMPTY_STACK;
    const char *tstate = event_python_tstate(self, gil);
    uint32_t stack = event_python_capture(self, tstate);
    if (unlikely(self->cache.epoch != self->python.epoch))
        event_clear_cache(self);
    return stack;
}

/* The window closes in event_do_deferred. */
void event_open_window(struct thread_state *self);

static always_inline bool event_begin(struct thread_state *self) {
    self->in_tracer = true;
    if (!likely(*tracer.single_threaded) && unlikely(!signal_window_needless))
        event_open_window(self);
    bool locked = tracer_enter();
    if (unlikely(*event_python.finalizing != NULL))
        event_freeze();
    return locked;
}

static always_inline void event_end(struct thread_state *self, bool locked) {
    tracer_leave(locked);
    if (unlikely(thread_state_leave(self)))
        event_do_deferred(self);
}

/* Where the bucket of a leaf's caller, instruction and size is, if it is known. */
static always_inline struct event_cache_entry *
event_cache_slot(struct event_cache *cache, uint32_t parent, uint64_t ip,
                 uint64_t size) {
    static_assert(EVENT_CACHE == 1 << (64 - 56), "the upper bits of the hash");
    uint64_t key = ip + parent + size * 5;
    return &cache->entries[key * 0x9e3779b97f4a7c15u >> 56];
}

/* What is known of a block that this leaf made, or NULL. */
static always_inline const struct event_cache_entry *
event_cache_find(const struct python_frame_layout *layout, struct thread_state *self,
                 struct python_frame *leaf, uint64_t size) {
    uint64_t ip = python_word_at(leaf->address, layout->ip);
    const struct event_cache_entry *known =
        event_cache_slot(&self->cache, leaf->parent, ip, size);
    if (unlikely(known->ip != ip || known->size != size ||
                 known->parent != leaf->parent))
        return NULL;
    leaf->ip = ip;
    leaf->node = known->node;
    return known;
}

/* The same of the last event's leaf, where it stands. With a leaf `current` is set. */
static always_inline const struct event_cache_entry *
event_cache_find_unchanged(const struct python_frame_layout *layout,
                           struct thread_state *self, uint64_t size) {
    struct python_frame *leaf = self->python.leaf;
    if (unlikely(leaf == NULL))
        return NULL;
    const char *tstate = *self->current;
    if (unlikely(tstate == NULL ||
                 !python_stack_is_unchanged(layout, &self->python,
                                            python_stack_leaf(layout, tstate))))
        return NULL;
    return event_cache_find(layout, self, leaf, size);
}

/* What is not usual: a leaf next to the last one; anything; a look at the clock after
 * an event; work that signal handlers left. They return the block. */
void *event_alloc_nearby(struct thread_state *self, void *block, size_t size,
                         enum event_gil gil);
void *event_alloc_slow_path(struct thread_state *self, void *block, size_t size,
                            enum event_gil gil);
void *event_alloc_tick(struct thread_state *self, void *block);
void *event_alloc_deferred(struct thread_state *self, void *block);

/* The end of the usual path: the block is this bucket's. */
static always_inline void *event_alloc_commit(struct thread_state *self, void *block,
                                              size_t size, enum event_gil gil,
                                              uint32_t bucket) {
    uint32_t *slot = block_map_find_near((uintptr_t)block);
    if (unlikely(slot == NULL || *slot != 0))
        return event_alloc_slow_path(self, block, size, gil);
    *slot = bucket;
    bucket_table_count_python(bucket, size);
    if (gil == EVENT_WITH_GIL)
        event_last_block = (uintptr_t)block;
    if (timeline_due())
        return event_alloc_tick(self, block);
    if (unlikely(thread_state_leave(self)))
        return event_alloc_deferred(self, block);
    return block;
}

/* A block of Python's domain was made. Returns it.
 *
 * The usual event: the leaf and the callers of the event before made a block of a size
 * that was seen there before, in a process of one thread. Its path calls nothing, and
 * changes nothing before all is known. Whether the runtime is finalizing is asked by
 * what the path is left for: nothing is freed, and no other leaf seen, without that. */
static always_inline void *event_alloc(struct thread_state *self, void *block,
                                       size_t size, enum event_gil gil) {
    self->in_tracer = true;
    atomic_signal_fence(memory_order_seq_cst);
    if (unlikely(!*tracer.single_threaded))
        return event_alloc_slow_path(self, block, size, gil);
    const struct event_cache_entry *known;
    if (likely(event_path == EVENT_FAST_PATH_RECENT))
        known = event_cache_find_unchanged(&python_recent_layout, self, size);
    else if (event_path == EVENT_FAST_PATH)
        known = event_cache_find_unchanged(&python_walk.layout, self, size);
    else
        return event_alloc_slow_path(self, block, size, gil);
    if (unlikely(known == NULL))
        return event_alloc_nearby(self, block, size, gil);
    return event_alloc_commit(self, block, size, gil, known->bucket);
}

/* The object that came back from a free list, in the block whose slot this is, counts
 * where it was made again. With the GIL. */
void event_reuse_slow_path(struct thread_state *self, uint32_t *slot);
static always_inline void event_reuse(struct thread_state *self, uint32_t *slot) {
    const struct event_cache_entry *known = NULL;
    self->in_tracer = true;
    const struct tracemalloc_dump_bucket *bucket =
        bucket_table.buckets + (*slot & BLOCK_MAP_BUCKET);
    if (likely(event_path == EVENT_FAST_PATH_RECENT && *tracer.single_threaded &&
               *event_python.finalizing == NULL &&
               (bucket->site & TRACEMALLOC_DUMP_NOT_PYTHON) == 0))
        known = event_cache_find_unchanged(&python_recent_layout, self, bucket->size);
    if (unlikely(known == NULL)) {
        event_reuse_slow_path(self, slot);
        return;
    }
    tracer_move(slot, known->bucket);
    event_end(self, false);
}

static always_inline void event_insert_libc(struct thread_state *self, void *block,
                                            size_t size) {
    uint32_t stack = event_capture(self, EVENT_ANY_THREAD);
    tracer_insert(
        (uintptr_t)block,
        bucket_cache_find(&self->buckets, stack, TRACEMALLOC_DUMP_DOMAIN_LIBC, size));
    timeline_event();
}

/* A block of libc's domain was made. */
static always_inline void event_alloc_libc(struct thread_state *self, void *block,
                                           size_t size) {
    bool locked = event_begin(self);
    if (likely(gate.active))
        event_insert_libc(self, block, size);
    event_end(self, locked);
}

/* Whether a block may be in the map: answered without a lock, for the caller owns the
 * block. */
static always_inline bool event_is_traced(const void *block) {
    const uint32_t *slot = block_map_find((uintptr_t)block);
    return slot != NULL && *slot != 0;
}

/* Before the real free, where event_free says false. */
void event_free_slow_path(const void *block, enum tracer_family by);

/* Before the real free, also in signal handlers: the usual case, which calls nothing.
 * False: the caller calls event_free_slow_path. The slot is read without a lock, for
 * the caller owns the block. A free creates no dump file for a child that does nothing
 * else. */
static always_inline bool event_free(const void *block) {
    if (unlikely(!gate.active)) {
        if (unlikely(event_file_deferred))
            return false;
        return true;
    }
    uint32_t *slot = block_map_find_near((uintptr_t)block);
    if (unlikely(slot == NULL))
        return block_map_is_absent((uintptr_t)block);
    if (*slot == 0)
        return true;
    struct thread_state *self = thread_state_own;
    if (unlikely(thread_state_is_in_tracer(self) || !*tracer.single_threaded ||
                 *event_python.finalizing != NULL))
        return false;
    self->in_tracer = true;
    atomic_signal_fence(memory_order_seq_cst);
    uint32_t bucket = *slot;
    /* Watched; or a request has ended the tracing, or cleared it, meanwhile. */
    if (unlikely(bucket == 0 || bucket & BLOCK_MAP_WATCHED || !gate.active)) {
        self->in_tracer = false;
        return false;
    }
    *slot = 0;
    bucket_table_discount(bucket);
    if (unlikely(thread_state_leave(self)))
        return false;
    return true;
}

/* Before the real realloc: the block's bucket, for event_realloc_done,
 * event_realloc_libc_done or event_realloc_failed. 0: it was not traced. */
static always_inline uint32_t event_realloc_begin(struct thread_state *self,
                                                  const void *block,
                                                  enum tracer_family by) {
    if (block == NULL || !event_is_traced(block))
        return 0;
    bool locked = event_begin(self);
    uint32_t bucket = gate.active ? tracer_take((uintptr_t)block, by) : 0;
    self->generation = tracer.generation;
    event_end(self, locked);
    return bucket;
}

/* Whether a bucket that was taken is of the tracing that goes on now. */
static always_inline bool event_realloc_is_current(const struct thread_state *self,
                                                   uint32_t bucket) {
    return bucket != 0 && gate.active && self->generation == tracer.generation;
}

/* The real realloc failed: the old block is as it was. */
static always_inline void event_realloc_failed(struct thread_state *self,
                                               const void *block, uint32_t bucket) {
    bool locked = event_begin(self);
    if (event_realloc_is_current(self, bucket))
        tracer_put_back((uintptr_t)block, bucket);
    event_end(self, locked);
}

/* The real realloc succeeded, and its block is to be recorded next. */
static always_inline void event_realloc_done(struct thread_state *self,
                                             uint32_t bucket) {
    bool locked = event_begin(self);
    if (event_realloc_is_current(self, bucket))
        tracer_discount(bucket);
    event_end(self, locked);
}

/* libc's realloc succeeded, or freed the block when `block` is NULL. */
static always_inline void event_realloc_libc_done(struct thread_state *self,
                                                  uint32_t bucket, void *block,
                                                  size_t size) {
    bool locked = event_begin(self);
    if (event_realloc_is_current(self, bucket))
        tracer_discount(bucket);
    if (likely(gate.active) && block != NULL)
        event_insert_libc(self, block, size);
    event_end(self, locked);
}
