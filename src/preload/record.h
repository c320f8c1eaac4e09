/* SPDX-License-Identifier: MIT */
/* An event, from a hook to the tables: the path that every allocation takes.
 *
 * Any thread; a hook calls record_begin first and records only with the state that it returns.
 */
#pragma once

#include "preload/thread_state.h"
#include "stack/python_stack.h"
#include "trace/timeline.h"
#include "trace/tracer.h"

/* Where the Python frames of an event come from. */
enum record_stack {
    RECORD_WITH_GIL, /* the caller holds the GIL: the current thread state is its own */
    RECORD_ANY,      /* any thread, with or without the GIL */
};

/* How to find the thread state; written before tracing begins. */
struct record_python {
    bool enabled; /* there are Python frames to walk */
    const void *const
        *finalizing; /* non-NULL there: the runtime is finalizing; never NULL itself */
    bool
        thread_local_current; /* from 3.12 on: get_current answers for this thread alone */
    void *const
        *current_tstate; /* where the holder of the GIL is; NULL: ask get_current */
    ptrdiff_t current_offset; /* of the variable from the thread pointer; 0: unknown */
    void *(*get_current)(void);
    void *(*this_thread)(void);
};

extern struct record_python record_python;
/* Block that the calling thread, with the GIL, allocated last: see free_lists. */
extern uintptr_t record_last_block;

/* The gate of the hot path. A child of fork is behind it until its first event, which gives its dump a file:
 * record_wake is asked at each event until then, and says whether events count. */
extern bool record_open;
extern bool record_asleep;
extern bool (*record_wake)(void);
/* The runtime is finalizing: freezes the counts, once. */
void record_finalizing(void);
/* What signal handlers left to do while the thread was inside the tracer: frees, and requests. */
void record_deferred(struct thread_state *self);
void record_lost_nested(struct thread_state *self);
/* Set by the agent: carries out the request that a thread put off. */
extern void (*record_request)(void);

static always_inline bool record_active(void) {
    if (likely(record_open))
        return true;
    return unlikely(record_asleep) && record_wake();
}

/* The thread's state, or NULL when an allocation is not an event of its own. */
static always_inline struct thread_state *record_begin(void) {
    if (!record_active())
        return NULL;
    struct thread_state *self = thread_state_get();
    if (self->nested)
        return NULL;
    if (unlikely(self->inside)) {
        record_lost_nested(self);
        return NULL;
    }
    return self;
}

/* From 3.12 on the current thread state is a thread-local variable of the interpreter, at a fixed distance from the thread
 * pointer where that was found out. */
static always_inline const char *record_current(void) {
    if (record_python.current_offset != 0)
        return *(const char *const *)((const char *)__builtin_thread_pointer() +
                                      record_python.current_offset);
    return record_python.current_tstate != NULL ? *record_python.current_tstate
                                                : record_python.get_current();
}

static always_inline const char *record_tstate(struct thread_state *self,
                                               enum record_stack how) {
    const char *current = record_current();
    if (how == RECORD_WITH_GIL)
        return current;
    if (current != NULL &&
        (record_python.thread_local_current || current == self->tstate))
        return current;
    return self->tstate = record_python.this_thread();
}

static always_inline uint32_t record_stack(struct thread_state *self,
                                           enum record_stack how) {
    if (unlikely(!record_python.enabled || self->ended))
        return TRACEMALLOC_DUMP_EMPTY_STACK;
    const char *tstate = record_tstate(self, how);
    return likely(tstate != NULL) ? python_stack_capture(&self->python, tstate) : 0;
}

static always_inline bool record_enter(struct thread_state *self) {
    self->inside = true;
    bool locked = tracer_enter();
    if (unlikely(*record_python.finalizing != NULL))
        record_finalizing();
    return locked;
}

static always_inline void record_leave(struct thread_state *self, bool locked) {
    tracer_leave(locked);
    self->inside = false;
    if (unlikely(self->put_off))
        record_deferred(self);
}

static always_inline void record_insert(struct thread_state *self, void *block,
                                        size_t size, uint32_t domain,
                                        enum record_stack how) {
    bool locked = record_enter(self);
    if (likely(tracer.active)) {
        uint32_t stack = record_stack(self, how);
        tracer_insert((uintptr_t)block,
                      site_cache_find(&self->sites, stack, domain, size));
        if (how == RECORD_WITH_GIL)
            record_last_block = (uintptr_t)block;
        timeline_event();
    }
    record_leave(self, locked);
}

/* Whether a block may be in the map: answered without a lock, for the caller owns the block. */
static always_inline bool record_knows(const void *block) {
    const uint32_t *slot = block_map_find((uintptr_t)block);
    return slot != NULL && *slot != 0;
}

void record_defer(struct thread_state *self, uintptr_t block);

/* Before the real free, also in signal handlers. The slot is looked at without a lock, for the caller owns the block. A
 * free makes no file for a child that does nothing else. */
static always_inline void record_remove(const void *block) {
    if (!(likely(record_open) || record_asleep))
        return;
    uint32_t *slot = block_map_find((uintptr_t)block);
    if (slot == NULL || *slot == 0)
        return;
    struct thread_state *self = thread_state_get();
    if (unlikely(self->inside)) {
        record_defer(self, (uintptr_t)block);
        return;
    }
    bool locked = record_enter(self);
    if (likely(tracer.active))
        tracer_discount(tracer_take_slot((uintptr_t)block, slot));
    record_leave(self, locked);
}

/* Before the real realloc: the block's site, for record_moved or record_kept. 0: it was not traced. */
static always_inline uint32_t record_take(struct thread_state *self,
                                          const void *block) {
    if (block == NULL || !record_knows(block))
        return 0;
    bool locked = record_enter(self);
    uint32_t site = tracer.active ? tracer_take((uintptr_t)block) : 0;
    self->generation = tracer.generation;
    record_leave(self, locked);
    return site;
}

/* Whether a site that was taken is of the tracing that goes on now. */
static always_inline bool record_valid(const struct thread_state *self, uint32_t site) {
    return site != 0 && tracer.active && self->generation == tracer.generation;
}

/* The real realloc failed: the old block is as it was. */
static always_inline void record_kept(struct thread_state *self, const void *block,
                                      uint32_t site) {
    bool locked = record_enter(self);
    if (record_valid(self, site))
        tracer_put_back((uintptr_t)block, site);
    record_leave(self, locked);
}

/* The real realloc succeeded, or freed the block when `block` is NULL. */
static always_inline void record_moved(struct thread_state *self, uint32_t site,
                                       void *block, size_t size, uint32_t domain,
                                       enum record_stack how) {
    bool locked = record_enter(self);
    if (likely(tracer.active)) {
        if (record_valid(self, site))
            tracer_discount(site);
        if (block != NULL) {
            uint32_t stack = record_stack(self, how);
            tracer_insert((uintptr_t)block,
                          site_cache_find(&self->sites, stack, domain, size));
            if (how == RECORD_WITH_GIL)
                record_last_block = (uintptr_t)block;
        }
    }
    record_leave(self, locked);
}
