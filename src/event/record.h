/* SPDX-License-Identifier: MIT */
/* An event, from a hook to the tables: the path that every allocation takes.
 *
 * Any thread; a hook calls record_begin first and records only with the state that it
 * returns.
 */
#pragma once

#include <assert.h>
#include <stdatomic.h>

#include "event/record_native.h"
#include "event/record_python.h"
#include "event/signal_window.h"
#include "event/thread_state.h"
#include "trace/timeline.h"
#include "trace/tracer.h"

/* Block that the calling thread, with the GIL, allocated last: see free_lists. */
extern internal uintptr_t record_last_block;

/* Whether events may take the usual path: tracing is on, with Python frames alone. */
enum record_direct {
    RECORD_INDIRECT,
    RECORD_DIRECT,
    RECORD_RECENT, /* and the frames are of python_recent_layout */
};
extern internal enum record_direct record_direct;
/* While the gate is closed: the child of a fork has not come to its first event, which
 * gives its dump a file. record_wake is asked at each event until then, and says
 * whether events count. */
extern internal bool record_asleep;
extern internal bool (*record_wake)(void);
/* The runtime is finalizing: freezes the counts, once. */
void record_finalizing(void);
/* What signal handlers left to do while the thread was inside the tracer: frees, and
 * requests; and the closing of the window for SIGBUS. */
void record_deferred(struct thread_state *self);
/* Set by the agent: carries out the request that a thread put off. */
extern internal void (*record_request)(void);

/* NULL: the event is not one of its own, or it is lost. */
struct thread_state *record_not_free(struct thread_state *self);
/* The thread's cache of buckets is of another epoch than its stack. */
void record_forget(struct thread_state *self);

static always_inline bool record_active(void) {
    if (likely(gate.open))
        return true;
    return unlikely(record_asleep) && record_wake();
}

/* The thread's state, or NULL when an allocation is not an event of its own. */
static always_inline struct thread_state *record_begin(void) {
    if (!record_active())
        return NULL;
    struct thread_state *self = thread_state_own;
    return likely(thread_state_is_free(self)) ? self : record_not_free(self);
}

/* The same for what the program calls itself, which it may do in an allocator of its
 * own that one of our hooks called. NULL: `*status` says why. */
struct thread_state *record_begin_call(int *status);

static always_inline uint32_t record_stack(struct thread_state *self,
                                           enum record_stack how) {
    if (unlikely(record_native.enabled))
        return record_native_stack(self, how == RECORD_WITH_GIL);
    if (unlikely(!record_python.enabled || self->ended))
        return TRACEMALLOC_DUMP_EMPTY_STACK;
    const char *tstate = record_python_tstate(self, how);
    uint32_t stack = record_python_capture(self, tstate);
    if (unlikely(self->known.epoch != self->python.epoch))
        record_forget(self);
    return stack;
}

/* The window closes in record_deferred. */
void record_open_window(struct thread_state *self);

static always_inline bool record_enter(struct thread_state *self) {
    self->inside = true;
    if (!likely(*tracer.single_threaded) && unlikely(!signal_window_needless))
        record_open_window(self);
    bool locked = tracer_enter();
    if (unlikely(*record_python.finalizing != NULL))
        record_finalizing();
    return locked;
}

static always_inline void record_leave(struct thread_state *self, bool locked) {
    tracer_leave(locked);
    if (unlikely(thread_state_leave(self)))
        record_deferred(self);
}

/* Where the bucket of a leaf's caller, instruction and size is, if it is known. */
static always_inline struct record_known *record_cache_entry(struct record_cache *cache,
                                                             uint32_t parent,
                                                             uint64_t ip,
                                                             uint64_t size) {
    static_assert(RECORD_CACHE == 1 << (64 - 56), "the upper bits of the hash");
    uint64_t key = ip + parent + size * 5;
    return &cache->entries[key * 0x9e3779b97f4a7c15u >> 56];
}

/* What is known of a block that this leaf made, or NULL. */
static always_inline const struct record_known *
record_known_at(const struct python_frame_layout *layout, struct thread_state *self,
                struct python_frame *leaf, uint64_t size) {
    uint64_t ip = python_word_at(leaf->address, layout->ip);
    const struct record_known *known =
        record_cache_entry(&self->known, leaf->parent, ip, size);
    if (unlikely(known->ip != ip || known->size != size ||
                 known->parent != leaf->parent))
        return NULL;
    leaf->ip = ip;
    leaf->node = known->node;
    return known;
}

/* The same of the last event's leaf, where it stands. With a leaf `current` is set. */
static always_inline const struct record_known *
record_known_again(const struct python_frame_layout *layout, struct thread_state *self,
                   uint64_t size) {
    struct python_frame *leaf = self->python.leaf;
    if (unlikely(leaf == NULL))
        return NULL;
    const char *tstate = *self->current;
    if (unlikely(tstate == NULL ||
                 !python_stack_stands(layout, &self->python,
                                      python_stack_leaf(layout, tstate))))
        return NULL;
    return record_known_at(layout, self, leaf, size);
}

/* What is not usual: a leaf next to the last one; anything; a look at the clock after
 * an event; work that signal handlers left. They return the block. */
void *record_made_nearby(struct thread_state *self, void *block, size_t size,
                         enum record_stack how);
void *record_made_slow_path(struct thread_state *self, void *block, size_t size,
                            enum record_stack how);
void *record_tick(struct thread_state *self, void *block);
void *record_put_off(struct thread_state *self, void *block);

/* The end of the usual path: the block is this bucket's. */
static always_inline void *record_fast(struct thread_state *self, void *block,
                                       size_t size, enum record_stack how,
                                       uint32_t bucket) {
    uint32_t *slot = block_map_find_near((uintptr_t)block);
    if (unlikely(slot == NULL || *slot != 0))
        return record_made_slow_path(self, block, size, how);
    *slot = bucket;
    bucket_table_count_python(bucket, size);
    if (how == RECORD_WITH_GIL)
        record_last_block = (uintptr_t)block;
    if (timeline_due())
        return record_tick(self, block);
    if (unlikely(thread_state_leave(self)))
        return record_put_off(self, block);
    return block;
}

/* A block of Python's domain was made. Returns it.
 *
 * The usual event: the leaf and the callers of the event before made a block of a size
 * that was seen there before, in a process of one thread. Its path calls nothing, and
 * changes nothing before all is known. Whether the runtime is finalizing is asked by
 * what the path is left for: nothing is freed, and no other leaf seen, without that. */
static always_inline void *record_made(struct thread_state *self, void *block,
                                       size_t size, enum record_stack how) {
    self->inside = true;
    atomic_signal_fence(memory_order_seq_cst);
    if (unlikely(!*tracer.single_threaded))
        return record_made_slow_path(self, block, size, how);
    const struct record_known *known;
    if (likely(record_direct == RECORD_RECENT))
        known = record_known_again(&python_recent_layout, self, size);
    else if (record_direct == RECORD_DIRECT)
        known = record_known_again(&python_walk.layout, self, size);
    else
        return record_made_slow_path(self, block, size, how);
    if (unlikely(known == NULL))
        return record_made_nearby(self, block, size, how);
    return record_fast(self, block, size, how, known->bucket);
}

/* The object that came back from a free list, in the block whose slot this is, counts
 * where it was made again. With the GIL. */
void record_moved_slow_path(struct thread_state *self, uint32_t *slot);
static always_inline void record_moved(struct thread_state *self, uint32_t *slot) {
    const struct record_known *known = NULL;
    self->inside = true;
    const struct tracemalloc_dump_bucket *bucket =
        bucket_table.buckets + (*slot & BLOCK_MAP_BUCKET);
    if (likely(record_direct == RECORD_RECENT && *tracer.single_threaded &&
               *record_python.finalizing == NULL &&
               (bucket->site & TRACEMALLOC_DUMP_NOT_PYTHON) == 0))
        known = record_known_again(&python_recent_layout, self, bucket->size);
    if (unlikely(known == NULL)) {
        record_moved_slow_path(self, slot);
        return;
    }
    tracer_move(slot, known->bucket);
    record_leave(self, false);
}

static always_inline void record_insert_libc(struct thread_state *self, void *block,
                                             size_t size) {
    uint32_t stack = record_stack(self, RECORD_ANY);
    tracer_insert(
        (uintptr_t)block,
        bucket_cache_find(&self->buckets, stack, TRACEMALLOC_DUMP_DOMAIN_LIBC, size));
    timeline_event();
}

/* A block of libc's domain was made. */
static always_inline void record_libc(struct thread_state *self, void *block,
                                      size_t size) {
    bool locked = record_enter(self);
    if (likely(gate.active))
        record_insert_libc(self, block, size);
    record_leave(self, locked);
}

/* Whether a block may be in the map: answered without a lock, for the caller owns the
 * block. */
static always_inline bool record_knows(const void *block) {
    const uint32_t *slot = block_map_find((uintptr_t)block);
    return slot != NULL && *slot != 0;
}

/* Before the real free, where record_removed says false. */
void record_remove(const void *block, enum tracer_family by);

/* Before the real free, also in signal handlers: the usual case, which calls nothing.
 * False: record_remove is to be called. The slot is looked at without a lock, for the
 * caller owns the block. A free makes no file for a child that does nothing else. */
static always_inline bool record_removed(const void *block) {
    if (unlikely(!gate.active)) {
        if (unlikely(record_asleep))
            return false;
        return true;
    }
    uint32_t *slot = block_map_find_near((uintptr_t)block);
    if (unlikely(slot == NULL))
        return block_map_is_absent((uintptr_t)block);
    if (*slot == 0)
        return true;
    struct thread_state *self = thread_state_own;
    if (unlikely(thread_state_is_inside(self) || !*tracer.single_threaded ||
                 *record_python.finalizing != NULL))
        return false;
    self->inside = true;
    atomic_signal_fence(memory_order_seq_cst);
    uint32_t bucket = *slot;
    /* Watched; or a request has ended the tracing, or cleared it, meanwhile. */
    if (unlikely(bucket == 0 || bucket & BLOCK_MAP_WATCHED || !gate.active)) {
        self->inside = false;
        return false;
    }
    *slot = 0;
    bucket_table_discount(bucket);
    if (unlikely(thread_state_leave(self)))
        return false;
    return true;
}

/* Before the real realloc: the block's bucket, for record_replaced, record_libc_moved
 * or record_kept. 0: it was not traced. */
static always_inline uint32_t record_take(struct thread_state *self, const void *block,
                                          enum tracer_family by) {
    if (block == NULL || !record_knows(block))
        return 0;
    bool locked = record_enter(self);
    uint32_t bucket = gate.active ? tracer_take((uintptr_t)block, by) : 0;
    self->generation = tracer.generation;
    record_leave(self, locked);
    return bucket;
}

/* Whether a bucket that was taken is of the tracing that goes on now. */
static always_inline bool record_valid(const struct thread_state *self,
                                       uint32_t bucket) {
    return bucket != 0 && gate.active && self->generation == tracer.generation;
}

/* The real realloc failed: the old block is as it was. */
static always_inline void record_kept(struct thread_state *self, const void *block,
                                      uint32_t bucket) {
    bool locked = record_enter(self);
    if (record_valid(self, bucket))
        tracer_put_back((uintptr_t)block, bucket);
    record_leave(self, locked);
}

/* The real realloc succeeded, and its block is to be recorded next. */
static always_inline void record_replaced(struct thread_state *self, uint32_t bucket) {
    bool locked = record_enter(self);
    if (record_valid(self, bucket))
        tracer_discount(bucket);
    record_leave(self, locked);
}

/* libc's realloc succeeded, or freed the block when `block` is NULL. */
static always_inline void record_libc_moved(struct thread_state *self, uint32_t bucket,
                                            void *block, size_t size) {
    bool locked = record_enter(self);
    if (record_valid(self, bucket))
        tracer_discount(bucket);
    if (likely(gate.active) && block != NULL)
        record_insert_libc(self, block, size);
    record_leave(self, locked);
}
