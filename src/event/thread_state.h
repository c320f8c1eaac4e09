/* SPDX-License-Identifier: MIT */
/* The tracer's state of a thread: the flags in_tracer and in_allocator, the last Python
 * stack, and caches.
 *
 * A pointer in the static TLS block leads to it. The state is taken from a pool at the
 * thread's first event and returned at the thread's end, so that a hundred thousand
 * short threads leave nothing behind. A thread accesses only its own state.
 */
#pragma once

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "stack/python/python_stack.h"
#include "trace/bucket_table.h"
#include "trace/sampler.h"

struct native_merge;

enum { THREAD_STATE_DEFERRED = 30 };

/* The buckets of recent events in Python's domain, by the top frame's caller and
 * instruction and the block's size. An entry of zeros is empty: no instruction is at
 * 0. */
enum { EVENT_CACHE = 256 };
struct event_cache {
    struct event_cache_entry {
        uint64_t ip;
        uint64_t size;
        struct tracemalloc_dump_bucket *bucket;
        uint32_t id; /* of the bucket */
        uint32_t parent;
    } entries[EVENT_CACHE];
    uint32_t nodes[EVENT_CACHE]; /* the top frames' */
    uint32_t epoch;              /* of the entries; valid if it is the stack's */
};

struct thread_state {
    /* The thread is using the tables: an allocation is lost, a free is deferred. Only a
     * signal handler in this thread sees it set. */
    volatile bool in_tracer;
    /* A hook called the real allocator: what that allocates is not an event. */
    volatile bool in_allocator;
    volatile bool has_deferred;     /* a signal handler deferred some work */
    volatile bool request_deferred; /* a request is among that work */
    /* The thread's own state was returned at its end; this one has no Python stack. */
    bool ended;
    struct sampler sampler;
    uint32_t deferred_count;
    uint32_t lost;       /* blocks allocated by signal handlers while in_tracer */
    uint32_t generation; /* the tracer's, at the last event_realloc_begin */
    /* Where the thread's current PyThreadState is, or &thread_state_nowhere. */
    const char *const *current;
    /* While the current PyThreadState is this one, the thread holds the GIL that the
     * tracer's lock is biased to, and needs no window for SIGBUS. Else
     * THREAD_STATE_NO_OWNER, which is no PyThreadState. */
    const char *owner;
    uintptr_t last_block; /* that it allocated with the GIL in Python's domain */
    struct python_stack python;
    const char *tstate;        /* this thread's PyThreadState at the last event */
    struct thread_state *next; /* in the pool */
    struct thread_state *next_of_all;
    struct native_merge *native; /* event_native's; made at the first native stack */
    struct event_cache cache;
    struct bucket_cache buckets;
    uintptr_t deferred[THREAD_STATE_DEFERRED]; /* blocks that a signal handler freed,
                                                  bit 0: the enum tracer_family */
};

static_assert(sizeof(struct event_cache_entry) == 32, "half a cache line");

/* Never NULL: a thread without a state has `thread_state_none`, which is in the tracer,
 * so that the fast path needs one check for both. */
extern internal thread_local_fixed struct thread_state *thread_state_own;
extern internal struct thread_state thread_state_none;
/* Holds NULL; a thread's `current` points to it while the real variable is unknown. */
extern internal const char *const thread_state_nowhere;
#define THREAD_STATE_NO_OWNER ((const char *)1)

/* Gives the native stacks of an ended thread back. Set before there are any. */
extern internal void (*thread_state_release_native)(struct native_merge *native);

/* Creates the pthread key whose destructor runs at a thread's end. Once, from the
 * constructor. */
void thread_state_prepare(void);
/* Gives the calling thread a state; never NULL. */
struct thread_state *thread_state_begin(void);
/* Samples of another distance than before are taken from now on: draws all threads'
 * next ones anew. Those draw on meanwhile, and one that does so at this instant may
 * keep its next one. */
void thread_state_forget_samples(void);
/* In a forked child. */
void thread_state_fork(void);

/* A signal handler that changes the flags restores them, so the thread itself may read
 * them by plain loads, which compile to one instruction with the test. */
static always_inline bool thread_state_is_in_tracer(const struct thread_state *state) {
    return *(const bool *)(const void *)&state->in_tracer;
}

/* Whether the thread is neither in the tracer nor in an allocator that a hook
 * called. */
static always_inline bool thread_state_is_idle(const struct thread_state *state) {
    static_assert(offsetof(struct thread_state, in_allocator) ==
                          offsetof(struct thread_state, in_tracer) + 1 &&
                      offsetof(struct thread_state, in_tracer) % sizeof(uint16_t) == 0,
                  "both flags are read as one uint16_t");
    return *(const uint16_t *)(const void *)&state->in_tracer == 0;
}

/* Sets in_tracer and clears in_allocator, in one store. */
static always_inline void thread_state_leave_allocator(struct thread_state *state) {
    static const bool flags[] = {true, false};
    atomic_signal_fence(memory_order_seq_cst);
    __builtin_memcpy((void *)(uintptr_t)&state->in_tracer, flags, sizeof flags);
    atomic_signal_fence(memory_order_seq_cst);
}

/* Clears in_tracer: from now on signal handlers defer nothing. Whether they deferred
 * some work before. */
static always_inline bool thread_state_leave(struct thread_state *state) {
    state->in_tracer = false;
    atomic_signal_fence(memory_order_seq_cst);
    return *(const bool *)(const void *)&state->has_deferred;
}

static always_inline struct thread_state *thread_state_get(void) {
    struct thread_state *own = thread_state_own;
    return likely(own != &thread_state_none) ? own : thread_state_begin();
}
