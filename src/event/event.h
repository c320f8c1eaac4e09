/* SPDX-License-Identifier: MIT */
/* An event, from a hook to the tables: the path of every allocation and free.
 *
 * Any thread. A hook calls event_thread first, and records an allocation only with the
 * state that it returns.
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

/* The last block that was allocated with the GIL: see free_lists. */
extern internal uintptr_t event_last_block;

/* The path of allocations in this tracing, also while the gate is closed. */
extern internal enum gate_path event_path;
/* The dump file of a forked child is deferred, and the gate is closed: each event calls
 * event_create_file until the child has a file. Returns whether to record the event. */
extern internal bool event_file_deferred;
extern internal bool (*event_create_file)(void);
/* The runtime is finalizing: freezes the counts, once. */
void event_freeze(void);
/* Does what signal handlers deferred while the thread was in the tracer, frees and
 * requests; then closes the window for SIGBUS. */
void event_do_deferred(struct thread_state *self);
/* Handles a request that a thread deferred. Set by the agent. */
extern internal void (*event_do_request)(void);

/* As event_thread, for a thread that has no state or is not idle. */
struct thread_state *event_thread_slow_path(struct thread_state *self);
/* Empties the thread's cache, which is of an older epoch than its stack. */
void event_clear_cache(struct thread_state *self);

static always_inline bool event_is_active(void) {
    if (likely(gate_flag(open)))
        return true;
    return gate_flag(sampled) || (unlikely(event_file_deferred) && event_create_file());
}

/* As event_thread, where tracing is on. */
static always_inline struct thread_state *event_idle_thread(void) {
    struct thread_state *self = thread_state_own;
    return likely(thread_state_is_idle(self)) ? self : event_thread_slow_path(self);
}

/* The thread's state. NULL if the allocation is not to be recorded: tracing is off, or
 * the thread is in the tracer or in an allocator that a hook called. */
static always_inline struct thread_state *event_thread(void) {
    return event_is_active() ? event_idle_thread() : NULL;
}

/* As event_thread, for a function of the public API: the program may call it in an
 * allocator of its own that a hook called. If NULL, `*error` is the reason. */
struct thread_state *event_thread_of_call(int *error);

/* Captures the calling thread's stack. Returns its id. */
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

/* Opens the window for SIGBUS, which event_do_deferred closes. */
void event_open_window(struct thread_state *self);

/* Whether the thread holds the GIL that the tracer's lock is biased to, and needs no
 * window for SIGBUS: the current PyThreadState is still the one that
 * event_python_check_gil saw. Before 3.12 all threads share one current state, so the
 * caller must hold the GIL: without it, the state may have been freed and its address
 * reused for another thread's. */
static always_inline bool event_has_gil(const struct thread_state *self,
                                        enum event_gil gil) {
    return (gil == EVENT_WITH_GIL || event_python.thread_local_current) &&
           *self->current == self->owner;
}

/* Marks the thread as in the tracer, and takes the lock unless the process has one
 * thread. event_end must follow. `gil`: whether the hook's callers must hold the GIL;
 * whether this one does is checked. */
static always_inline struct event_guard event_begin_as(struct thread_state *self,
                                                       enum event_gil gil) {
    self->in_tracer = true;
    struct event_guard guard;
    const char *tstate = *self->current;
    if (likely(tracer_is_alone())) {
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

/* As event_begin, on the fast path: succeeds if the thread holds the GIL and the lock
 * is biased, or if the process has one thread. If it matters that the runtime is not
 * finalizing, the caller checks that. False: the thread is marked as in the tracer and
 * holds no lock. */
static always_inline bool event_begin_fast(struct thread_state *self,
                                           enum event_gil gil) {
    self->in_tracer = true;
    atomic_signal_fence(memory_order_seq_cst);
    if (likely(event_has_gil(self, gil)))
        return tracer_enter_fast();
    return tracer_is_alone();
}

/* As event_begin_fast, after the real allocator, whose flag it clears; sets `*tstate`
 * to the current PyThreadState. */
static always_inline bool event_begin_fast_python(struct thread_state *self,
                                                  enum event_gil gil,
                                                  const char **tstate) {
    thread_state_leave_allocator(self);
    *tstate = *self->current;
    if (likely((gil == EVENT_WITH_GIL || event_python.thread_local_current) &&
               *tstate == self->owner))
        return tracer_enter_fast();
    return *tstate != NULL && tracer_is_alone();
}

/* Leaves the fast path with nothing recorded; the slow path starts from the
 * beginning. */
static always_inline void event_leave_fast(struct thread_state *self) {
    tracer_leave(event_guard_fast(self));
}

/* The position of the entry for blocks of this size from an instruction of a frame that
 * `parent` called. */
static always_inline size_t event_cache_index(uint32_t parent, uint64_t ip,
                                              uint64_t size) {
    static_assert(EVENT_CACHE == 1 << (32 - 24), "the upper bits of the hash");
    uint32_t key = (uint32_t)ip + (uint32_t)size * 8 + parent;
    return key * 0x9e3779b1u >> 24;
}

/* The cached bucket for an allocation of this size by the top frame, which is at `ip`;
 * else NULL. */
static always_inline const struct event_cache_entry *
event_cache_find(const struct thread_state *self, uint64_t ip, uint64_t size) {
    uint32_t parent = self->python.parent;
    const struct event_cache_entry *cached =
        self->cache.entries + event_cache_index(parent, ip, size);
    bool found = cached->ip == ip && cached->size == size && cached->parent == parent;
    return likely(found) ? cached : NULL;
}

/* As event_cache_find, for the previous event's top frame, if that frame and its
 * callers are unchanged; else NULL. Leaves the frame's instruction and node as they
 * were at an event before. */
static always_inline const struct event_cache_entry *
event_cache_find_unchanged(const struct python_frame_layout *layout,
                           const struct thread_state *self, const char *tstate,
                           uint64_t size) {
    const char *frame = python_stack_leaf(layout, tstate);
    if (unlikely(!python_stack_is_unchanged(layout, &self->python, frame)))
        return NULL;
    return event_cache_find(self, python_word_at(frame, layout->ip), size);
}

/* The rarer paths of event_alloc. All return the block. */
/* The program made a few calls or returns since the previous event. */
void *event_alloc_nearby(struct thread_state *self, void *block, size_t size,
                         enum event_gil gil);
/* Any other allocation. */
void *event_alloc_slow_path(struct thread_state *self, void *block, size_t size,
                            enum event_gil gil);
/* As event_alloc_slow_path, for a thread that is on the fast path, which it leaves. */
void *event_alloc_again(struct thread_state *self, void *block, size_t size,
                        enum event_gil gil);
/* The thread is on the fast path, and its bucket is known. Falls back if
 * live_block_add_near fails. */
void *event_alloc_near(struct thread_state *self, void *block, size_t size,
                       enum event_gil gil, uint32_t bucket);
/* The event is recorded, and the timeline's clock is due. */
void *event_alloc_tick(struct thread_state *self, void *block);
/* The event is recorded, and signal handlers deferred some work. */
void *event_alloc_deferred(struct thread_state *self, void *block);

/* After an allocation that is recorded, on the fast path. */
static always_inline void *event_alloc_end(struct event_guard guard, void *block,
                                           enum event_gil gil) {
    if (gil == EVENT_WITH_GIL)
        event_last_block = guard.thread->last_block = (uintptr_t)block;
    if (event_clock_due())
        return event_alloc_tick(guard.thread, block);
    tracer_leave(guard);
    if (unlikely(thread_state_leave(guard.thread)))
        return event_alloc_deferred(guard.thread, block);
    return block;
}

/* An allocation in Python's domain, which the real allocator has just made; clears the
 * thread's in_allocator. Returns the block.
 *
 * Fast path: same call stack as the previous event, and a size already allocated there,
 * with the GIL or in a process of one thread. It makes no calls and writes nothing to
 * the tables until every check has passed. It checks neither whether tracing was
 * stopped meanwhile, which makes the thread's stack one of an older epoch, nor whether
 * the runtime is finalizing: the paths that leave it do, and finalization frees no
 * block and runs no other frame before it comes to one of them.
 *
 * `layout`: of frames; NULL: not on the fast path. */
static always_inline void *event_alloc(const struct python_frame_layout *layout,
                                       struct thread_state *self, void *block,
                                       size_t size, enum event_gil gil) {
    const char *tstate;
    if (unlikely(!event_begin_fast_python(self, gil, &tstate)))
        return event_alloc_slow_path(self, block, size, gil);
    const struct event_cache_entry *cached =
        event_cache_find_unchanged(layout, self, tstate, size);
    if (unlikely(cached == NULL))
        return event_alloc_nearby(self, block, size, gil);
    struct event_guard guard = event_guard_fast(self);
    if (unlikely(!tracer_insert_fast(guard, (uintptr_t)block, cached->bucket,
                                     cached->id, size)))
        return event_alloc_near(self, block, size, gil, cached->id);
    return event_alloc_end(guard, block, gil);
}

/* The interpreter reuses an object of a free list: moves its block, whose slot this is,
 * to the current stack. With the GIL. */
void event_reuse_slow_path(struct thread_state *self, uintptr_t block, uint32_t *slot);
static always_inline void event_reuse(struct thread_state *self, uintptr_t block,
                                      uint32_t *slot) {
    const struct event_cache_entry *cached = NULL;
    const char *tstate;
    if (unlikely(!event_begin_fast_python(self, EVENT_WITH_GIL, &tstate))) {
        event_reuse_slow_path(self, block, slot);
        return;
    }
    struct event_guard guard = event_guard_fast(self);
    struct tracemalloc_dump_bucket *bucket =
        bucket_table.buckets + (*slot & BLOCK_MAP_BUCKET);
    if (likely(event_path == GATE_FAST_PATH_RECENT &&
               *event_python.finalizing == NULL &&
               (bucket->site & TRACEMALLOC_DUMP_NOT_PYTHON) == 0))
        cached = event_cache_find_unchanged(&python_recent_layout, self, tstate,
                                            bucket->size);
    if (unlikely(cached == NULL)) {
        event_leave_fast(self);
        event_reuse_slow_path(self, block, slot);
        return;
    }
    if (self->last_block == block)
        tracer_count_temporary(guard, bucket);
    self->last_block = block;
    tracer_move(guard, slot, cached->id);
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

/* An allocation in libc's domain. It checks gate.exact, as event_alloc_slow_path does:
 * since the hook called event_thread, a request may have stopped tracing and started
 * tracing that samples. Such a block is not recorded. */
static always_inline void event_alloc_libc(struct thread_state *self, void *block,
                                           size_t size) {
    struct event_guard guard = event_begin(self);
    if (likely(gate.exact))
        event_insert_libc(guard, block, size);
    event_end(guard);
}

/* Whether a block is in the map or its address is watched. Needs no lock, because the
 * caller owns the block. */
static always_inline bool event_is_traced(const void *block) {
    const uint32_t *slot = block_map_find((uintptr_t)block);
    return slot != NULL && *slot != 0;
}

/* Whether the thread allocated this block last, so that its free makes it temporary. */
static always_inline bool event_is_last(const struct thread_state *self,
                                        const void *block, enum event_gil gil) {
    return gil == EVENT_WITH_GIL && self->last_block == (uintptr_t)block;
}

/* Before the real free, if event_free returned false. */
void event_free_slow_path(const void *block, enum tracer_family by, enum event_gil gil);

/* Marks the thread as in the tracer and takes the lock, for a free. */
static always_inline bool event_free_begin(struct thread_state *self,
                                           enum event_gil gil) {
    if (unlikely(thread_state_is_in_tracer(self) || *event_python.finalizing != NULL))
        return false;
    if (likely(event_begin_fast(self, gil)))
        return true;
    self->in_tracer = false;
    return false;
}

/* After event_free_begin: whether the free is recorded, and no work was deferred. */
static always_inline bool event_free_end(struct event_guard guard, bool is_done) {
    tracer_leave(guard);
    if (likely(is_done))
        return likely(!thread_state_leave(guard.thread));
    guard.thread->in_tracer = false;
    return false;
}

/* Records a free before the real one, on the fast path, which makes no calls; also in
 * signal handlers. False: the caller must call event_free_slow_path. Reading the slot
 * needs no lock, because the caller owns the block. If a forked child only frees, its
 * dump file stays deferred. */
static always_inline bool event_free_exact(const void *block, enum event_gil gil) {
    uint32_t *slot = block_map_find_near((uintptr_t)block);
    if (unlikely(slot == NULL))
        return block_map_is_absent((uintptr_t)block);
    if (*slot == 0)
        return true;
    struct thread_state *self = thread_state_own;
    if (unlikely(!event_free_begin(self, gil)))
        return false;
    struct event_guard guard = event_guard_fast(self);
    /* A request may have stopped or cleared the tracing meanwhile. */
    return event_free_end(
        guard, likely(gate.active) &&
                   tracer_remove_near(guard, slot, event_is_last(self, block, gil)));
}

/* As event_free_exact, if blocks are sampled or tracing is off. */
bool event_free_inexact(const void *block);

/* As event_free_exact, whichever it is. */
static always_inline bool event_free(const void *block, enum event_gil gil) {
    return likely(gate_flag(exact)) ? event_free_exact(block, gil)
                                    : event_free_inexact(block);
}

/* As event_free, with the GIL, where gate.exact is BLOCK_MAP_GRANULE, of a block that
 * most probably is in the map. */
enum event_free {
    EVENT_FREE_DONE,
    EVENT_FREE_NEAR, /* event_free_near must be called; the thread is in the tracer */
    EVENT_FREE_SLOW, /* event_free_slow_path must be called */
};
static always_inline enum event_free event_free_traced(const void *block) {
    struct thread_state *self = thread_state_own;
    if (unlikely(!event_free_begin(self, EVENT_WITH_GIL)))
        return EVENT_FREE_SLOW;
    struct event_guard guard = event_guard_fast(self);
    uint32_t *slot = block_map_find_fast((uintptr_t)block);
    if (unlikely(!gate.active || slot == NULL ||
                 !tracer_remove_fast(guard, slot,
                                     event_is_last(self, block, EVENT_WITH_GIL))))
        return EVENT_FREE_NEAR;
    return likely(event_free_end(guard, true)) ? EVENT_FREE_DONE : EVENT_FREE_SLOW;
}
/* Whether the free is recorded; if not, event_free_slow_path must be called. */
bool event_free_near(const void *block);

/* Takes a block out of the map before the real realloc. Returns its bucket, which the
 * caller passes to event_realloc_done, event_realloc_libc_done or event_realloc_failed;
 * 0 if the block was not traced. */
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

/* Whether a bucket that event_realloc_begin returned is still valid: tracing was
 * neither stopped nor cleared in between. */
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

/* The real realloc succeeded. The caller then records the new block by event_alloc, and
 * passes the result to event_keep_birth unless it is TRACER_BORN_NOW. */
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

/* libc's realloc returned the new block; NULL: it freed the old one. */
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
    if (likely(gate.exact) && block != NULL)
        event_insert_libc(guard, block, size);
    if (unlikely(birth != TRACER_BORN_NOW) && gate.active)
        tracer_keep_birth(guard, (uintptr_t)block, birth);
    event_end(guard);
}
