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
    return gate.sampled || (unlikely(event_file_deferred) && event_create_file());
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

/* The stack of the calling thread. */
static always_inline uint32_t event_capture(struct event_guard guard,
                                            enum event_gil gil) {
    struct thread_state *self = guard.thread;
    if (unlikely(event_native.enabled))
        return event_native_capture(guard, gil == EVENT_WITH_GIL);
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

/* Whether the thread holds the GIL that the tracer's lock is biased to, and needs no
 * window: the current PyThreadState is still the one that event_python_check_gil saw.
 * Before 3.12 there is one current state for all threads. The caller is to hold the GIL
 * then, for a thread's own state may be freed, and another thread be given its
 * address. */
static always_inline bool event_has_gil(const struct thread_state *self,
                                        enum event_gil gil) {
    return (gil == EVENT_WITH_GIL || event_python.thread_local_current) &&
           *self->current == self->owner;
}

/* Marks the thread as in the tracer and takes the lock, if there is more than one
 * thread. event_end has to follow. `gil`: whether the
 * hook's callers have to hold the GIL. That this one does is checked. */
static always_inline struct event_guard event_begin_as(struct thread_state *self,
                                                       enum event_gil gil) {
    self->in_tracer = true;
    struct event_guard guard;
    const char *tstate = *self->current;
    if (likely(*tracer.single_threaded)) {
        if (unlikely(tstate != self->owner && tstate != NULL))
            event_python_check_gil(self);
        guard = (struct event_guard){self, EVENT_ONE_THREAD};
    } else {
        if (unlikely(!signal_window_needless))
            event_open_window(self);
        bool has_gil = event_has_gil(self, gil) ||
                       (tstate != NULL && event_python_check_gil(self));
        guard = tracer_enter_shared(self, has_gil);
    }
    if (unlikely(*event_python.finalizing != NULL))
        event_freeze();
    return guard;
}

/* As event_begin_as, on any thread. */
static always_inline struct event_guard event_begin(struct thread_state *self) {
    return event_begin_as(self, EVENT_ANY_THREAD);
}

static always_inline void event_end(struct event_guard guard) {
    tracer_leave(guard);
    if (unlikely(thread_state_leave(guard.thread)))
        event_do_deferred(guard.thread);
}

/* The guard of a thread that has begun the fast path. */
static always_inline struct event_guard event_guard_fast(struct thread_state *self) {
    return (struct event_guard){self, EVENT_BIASED};
}

/* As event_begin, on the fast path, where it takes no time: the thread holds the GIL
 * and the lock is biased, or the process has one thread. That the runtime is not
 * finalizing is checked by the caller, where it matters. False: the thread is marked as
 * in the tracer, and holds no lock. */
static always_inline bool event_begin_fast(struct thread_state *self,
                                           enum event_gil gil) {
    self->in_tracer = true;
    atomic_signal_fence(memory_order_seq_cst);
    if (likely(event_has_gil(self, gil)))
        return tracer_enter_fast();
    return *tracer.single_threaded;
}

/* As event_begin_fast, for a path that needs the current PyThreadState. Sets it. */
static always_inline bool event_begin_fast_python(struct thread_state *self,
                                                  enum event_gil gil,
                                                  const char **tstate) {
    self->in_tracer = true;
    atomic_signal_fence(memory_order_seq_cst);
    *tstate = *self->current;
    if (likely((gil == EVENT_WITH_GIL || event_python.thread_local_current) &&
               *tstate == self->owner))
        return tracer_enter_fast();
    return *tstate != NULL && *tracer.single_threaded;
}

/* The fast path ends undecided: the slow path begins anew. */
static always_inline void event_leave_fast(struct thread_state *self) {
    tracer_leave(event_guard_fast(self));
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
    const struct event_cache_entry *cached =
        event_cache_slot(&self->cache, leaf->parent, ip, size);
    if (unlikely(cached->ip != ip || cached->size != size ||
                 cached->parent != leaf->parent))
        return NULL;
    leaf->ip = ip;
    leaf->node = cached->node;
    return cached;
}

/* The same of the last event's leaf, where it stands. */
static always_inline const struct event_cache_entry *
event_cache_find_unchanged(const struct python_frame_layout *layout,
                           struct thread_state *self, const char *tstate,
                           uint64_t size) {
    struct python_frame *leaf = self->python.leaf;
    if (unlikely(leaf == NULL ||
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
/* The same from within the fast path, which it leaves. */
void *event_alloc_again(struct thread_state *self, void *block, size_t size,
                        enum event_gil gil);
void *event_alloc_tick(struct thread_state *self, void *block);
void *event_alloc_deferred(struct thread_state *self, void *block);

/* Commits an allocation on the fast path. Falls back if the block's slot is missing or
 * in use. */
static always_inline void *event_alloc_commit(struct event_guard guard, void *block,
                                              size_t size, enum event_gil gil,
                                              uint32_t bucket) {
    if (unlikely(!tracer_insert_fast(guard, (uintptr_t)block, bucket, size)))
        return event_alloc_again(guard.thread, block, size, gil);
    if (gil == EVENT_WITH_GIL)
        event_last_block = (uintptr_t)block;
    if (timeline_due())
        return event_alloc_tick(guard.thread, block);
    tracer_leave(guard);
    if (unlikely(thread_state_leave(guard.thread)))
        return event_alloc_deferred(guard.thread, block);
    return block;
}

/* An allocation in Python's domain. Returns the block.
 *
 * Fast path: same call stack as the previous event, and a size already allocated there,
 * with the GIL or in a process of one thread. It makes no calls and writes nothing of
 * the tables until every check has passed. That the runtime is finalizing is checked
 * where the fast path ends: without that, nothing is freed and no other stack is
 * seen. */
static always_inline void *event_alloc(struct thread_state *self, void *block,
                                       size_t size, enum event_gil gil) {
    const char *tstate;
    if (unlikely(!event_begin_fast_python(self, gil, &tstate)))
        return event_alloc_slow_path(self, block, size, gil);
    struct event_guard guard = event_guard_fast(self);
    const struct event_cache_entry *cached;
    if (likely(event_path == EVENT_FAST_PATH_RECENT))
        cached = event_cache_find_unchanged(&python_recent_layout, self, tstate, size);
    else if (event_path == EVENT_FAST_PATH)
        cached = event_cache_find_unchanged(&python_walk.layout, self, tstate, size);
    else
        return event_alloc_again(self, block, size, gil);
    if (unlikely(cached == NULL))
        return event_alloc_nearby(self, block, size, gil);
    return event_alloc_commit(guard, block, size, gil, cached->bucket);
}

/* An object came back from a free list, in the block whose slot this is: the block
 * moves to the stack of this event. With the GIL. */
void event_reuse_slow_path(struct thread_state *self, uint32_t *slot);
static always_inline void event_reuse(struct thread_state *self, uint32_t *slot) {
    const struct event_cache_entry *cached = NULL;
    const char *tstate;
    if (unlikely(!event_begin_fast_python(self, EVENT_WITH_GIL, &tstate))) {
        event_reuse_slow_path(self, slot);
        return;
    }
    struct event_guard guard = event_guard_fast(self);
    const struct tracemalloc_dump_bucket *bucket =
        bucket_table.buckets + (*slot & BLOCK_MAP_BUCKET);
    if (likely(event_path == EVENT_FAST_PATH_RECENT &&
               *event_python.finalizing == NULL &&
               (bucket->site & TRACEMALLOC_DUMP_NOT_PYTHON) == 0))
        cached = event_cache_find_unchanged(&python_recent_layout, self, tstate,
                                            bucket->size);
    if (unlikely(cached == NULL)) {
        event_leave_fast(self);
        event_reuse_slow_path(self, slot);
        return;
    }
    tracer_move(guard, slot, cached->bucket);
    event_end(guard);
}

static always_inline void event_insert_libc(struct event_guard guard, void *block,
                                            size_t size) {
    uint32_t stack = event_capture(guard, EVENT_ANY_THREAD);
    uint32_t bucket = bucket_cache_find(guard, &guard.thread->buckets, stack,
                                        TRACEMALLOC_DUMP_DOMAIN_LIBC, size);
    tracer_insert(guard, (uintptr_t)block, bucket);
    timeline_event(guard);
}

/* An allocation in libc's domain. */
static always_inline void event_alloc_libc(struct thread_state *self, void *block,
                                           size_t size) {
    struct event_guard guard = event_begin(self);
    if (likely(gate.active))
        event_insert_libc(guard, block, size);
    event_end(guard);
}

/* Whether a block may be in the map: answered without a lock, for the caller owns the
 * block. */
static always_inline bool event_is_traced(const void *block) {
    const uint32_t *slot = block_map_find((uintptr_t)block);
    return slot != NULL && *slot != 0;
}

/* Before the real free, where event_free says false. */
void event_free_slow_path(const void *block, enum tracer_family by, enum event_gil gil);

/* As event_free, where blocks are sampled or tracing is off. */
bool event_free_inexact(const void *block);

/* Before the real free, also in signal handlers: the fast path, which calls nothing.
 * False: the caller calls event_free_slow_path. The slot is read without a lock, for
 * the caller owns the block. A free creates no dump file for a child that does nothing
 * else. */
static always_inline bool event_free(const void *block, enum event_gil gil) {
    if (unlikely(!gate.exact))
        return event_free_inexact(block);
    uint32_t *slot = block_map_find_near((uintptr_t)block);
    if (unlikely(slot == NULL))
        return block_map_is_absent((uintptr_t)block);
    if (*slot == 0)
        return true;
    struct thread_state *self = thread_state_own;
    if (unlikely(thread_state_is_in_tracer(self) || *event_python.finalizing != NULL))
        return false;
    if (unlikely(!event_begin_fast(self, gil))) {
        self->in_tracer = false;
        return false;
    }
    struct event_guard guard = event_guard_fast(self);
    /* A request may have stopped or cleared the tracing meanwhile. */
    bool is_done = likely(gate.active) && tracer_remove_fast(guard, slot);
    tracer_leave(guard);
    if (unlikely(!is_done)) {
        self->in_tracer = false;
        return false;
    }
    if (unlikely(thread_state_leave(self)))
        return false;
    return true;
}

/* Before the real realloc: the block's bucket, for event_realloc_done,
 * event_realloc_libc_done or event_realloc_failed. 0: it was not traced. */
static always_inline uint32_t event_realloc_begin(struct thread_state *self,
                                                  const void *block,
                                                  enum tracer_family by,
                                                  enum event_gil gil) {
    if (block == NULL || !event_is_traced(block))
        return 0;
    struct event_guard guard = event_begin_as(self, gil);
    uint32_t bucket = gate.active ? tracer_take(guard, (uintptr_t)block, by) : 0;
    self->generation = tracer.generation;
    event_end(guard);
    return bucket;
}

/* Whether a bucket that event_realloc_begin returned is of the present tracing, not of
 * one that was stopped or cleared meanwhile. */
static always_inline bool event_realloc_is_current(struct event_guard guard,
                                                   uint32_t bucket) {
    return bucket != 0 && gate.active && guard.thread->generation == tracer.generation;
}

/* The real realloc failed: the old block is unchanged. */
static always_inline void event_realloc_failed(struct thread_state *self,
                                               const void *block, uint32_t bucket,
                                               enum event_gil gil) {
    struct event_guard guard = event_begin_as(self, gil);
    if (event_realloc_is_current(guard, bucket))
        tracer_put_back(guard, (uintptr_t)block, bucket);
    event_end(guard);
}

/* The real realloc succeeded; event_alloc follows, with the new block, and then
 * event_keep_birth, if what this returns is not TRACER_BORN_NOW. */
static always_inline uint8_t event_realloc_done(struct thread_state *self,
                                                uint32_t bucket, enum event_gil gil) {
    uint8_t birth = TRACER_BORN_NOW;
    struct event_guard guard = event_begin_as(self, gil);
    if (event_realloc_is_current(guard, bucket))
        birth = tracer_uncount_resized(guard, bucket);
    event_end(guard);
    return birth;
}

void event_keep_birth(struct thread_state *self, const void *block, uint8_t birth);

/* libc's realloc succeeded, or freed the block when `block` is NULL. */
static always_inline void event_realloc_libc_done(struct thread_state *self,
                                                  uint32_t bucket, void *block,
                                                  size_t size) {
    struct event_guard guard = event_begin(self);
    uint8_t birth = TRACER_BORN_NOW;
    if (event_realloc_is_current(guard, bucket)) {
        if (likely(block != NULL))
            birth = tracer_uncount_resized(guard, bucket);
        else
            tracer_uncount(guard, bucket);
    }
    if (likely(gate.active) && block != NULL)
        event_insert_libc(guard, block, size);
    if (unlikely(birth != TRACER_BORN_NOW) && gate.active)
        tracer_keep_birth(guard, (uintptr_t)block, birth);
    event_end(guard);
}
