/* SPDX-License-Identifier: MIT */
/* What the tracer keeps for each thread: the marks "inside" and "nested", and the
 * thread's last Python stack.
 *
 * One pointer in the static TLS block leads to it; made at a thread's first event,
 * given back to a pool at its end, so that a hundred thousand short threads leave
 * nothing behind. A thread touches only its own.
 */
#pragma once

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "stack/native/native_merge.h"
#include "stack/python/python_stack.h"
#include "trace/bucket_table.h"
#include "trace/sampler.h"

enum { THREAD_STATE_DEFERRED = 30 };

/* What the last events came to: from the leaf's caller, instruction and the size of the
 * block to the bucket, of Python's domain. All zero is none: an instruction is never
 * 0. */
enum { EVENT_CACHE = 256 };
struct event_cache {
    uint32_t epoch; /* when it was last empty; the stack's, when both are good */
    struct event_cache_entry {
        uint64_t ip;
        uint64_t size;
        uint32_t parent;
        uint32_t node;
        uint32_t bucket;
        uint32_t reserved;
    } entries[EVENT_CACHE];
};

struct thread_state {
    /* The thread works on the tables: nothing may be recorded, a free is deferred. Only
     * a signal handler can see it. */
    volatile bool in_tracer;
    /* The thread is in an allocator that was called by one of our hooks: what that
     * allocates is not an event of its own. */
    volatile bool in_allocator;
    volatile bool has_deferred;     /* signal handlers left something to do */
    volatile bool request_deferred; /* among it a request */
    /* The placeholder of a thread whose state was given back: no Python stack. */
    bool ended;
    struct sampler sampler;
    uint32_t deferred_count;
    uint32_t lost;       /* blocks that signal handlers made meanwhile */
    uint32_t generation; /* of the tracing in which event_realloc_begin took a block */
    const char *tstate;  /* this thread's PyThreadState, as last seen */
    struct thread_state *next; /* in the pool */
    struct thread_state *next_of_all;
    struct native_merge *native; /* mapped when first needed */
    struct python_stack python;
    /* Where the thread's current PyThreadState is, or &thread_state_nowhere. */
    const char *const *current;
    /* The current PyThreadState is this one only while the thread holds the GIL that
     * the tracer's lock is biased to, and its touches of the dump need no window for
     * SIGBUS. Else THREAD_STATE_NO_OWNER, which is no PyThreadState. */
    const char *owner;
    struct event_cache cache;
    struct bucket_cache buckets;
    uintptr_t deferred[THREAD_STATE_DEFERRED]; /* blocks that a signal handler freed,
                                                  bit 0: the enum tracer_family */
};

static_assert(sizeof(struct event_cache_entry) == 32, "half a cache line");

/* Never NULL: a thread without a state has `thread_state_none`, which is inside, so
 * that the hot path asks once for both. */
extern internal thread_local_fixed struct thread_state *thread_state_own;
extern internal struct thread_state thread_state_none;
/* Where a thread's current PyThreadState is while that is not known: NULL. */
extern internal const char *const thread_state_nowhere;
#define THREAD_STATE_NO_OWNER ((const char *)1)

/* Makes the key whose destructor notices the end of a thread. Once, from the
 * constructor. */
void thread_state_prepare(void);
/* The state of a thread that has none yet; never NULL. */
struct thread_state *thread_state_begin(void);
/* Samples of another distance than before are taken from now on: draws all threads'
 * next ones anew. Those draw on meanwhile, and one that does so at this instant may
 * keep its next one. */
void thread_state_forget_samples(void);
/* In the child of a fork: the other threads' states are free. */
void thread_state_fork(void);

/* A signal handler that changes the marks changes them back, so the thread itself reads
 * them by plain loads, which the compiler makes one instruction of with the test. */
static always_inline bool thread_state_is_in_tracer(const struct thread_state *state) {
    return *(const bool *)(const void *)&state->in_tracer;
}

/* Neither inside nor nested, which lie side by side. */
static always_inline bool thread_state_is_idle(const struct thread_state *state) {
    static_assert(offsetof(struct thread_state, in_allocator) ==
                          offsetof(struct thread_state, in_tracer) + 1 &&
                      offsetof(struct thread_state, in_tracer) % sizeof(uint16_t) == 0,
                  "the marks are one word");
    return *(const uint16_t *)(const void *)&state->in_tracer == 0;
}

/* Whether signal handlers left something to do, of which there is no more from now
 * on. */
static always_inline bool thread_state_leave(struct thread_state *state) {
    state->in_tracer = false;
    atomic_signal_fence(memory_order_seq_cst);
    return *(const bool *)(const void *)&state->has_deferred;
}

static always_inline struct thread_state *thread_state_get(void) {
    struct thread_state *own = thread_state_own;
    return likely(own != &thread_state_none) ? own : thread_state_begin();
}
