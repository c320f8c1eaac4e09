/* SPDX-License-Identifier: MIT */
/* What the tracer keeps for each thread: the marks "inside" and "nested", and the thread's last Python stack.
 *
 * One pointer in the static TLS block leads to it; made at a thread's first event, given back to a pool at its
 * end, so that a hundred thousand short threads leave nothing behind. A thread touches only its own.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "stack/python_stack.h"
#include "trace/site_table.h"

enum { THREAD_STATE_DEFERRED = 30 };

struct thread_state {
    /* The thread works on the tables: nothing may be recorded, a free is deferred. Only a signal handler can see it. */
    volatile bool inside;
    /* The thread is in an allocator that was called by one of our hooks: what that allocates is not an event of its
     * own. */
    volatile bool nested;
    volatile bool put_off;         /* signal handlers left something to do */
    volatile bool request_put_off; /* among it a request */
    bool
        ended; /* the placeholder of a thread whose state was given back: no Python stack */
    uint32_t deferred_count;
    uint32_t lost;             /* blocks that signal handlers made meanwhile */
    uint32_t generation;       /* of the tracing in which record_take took a block */
    const char *tstate;        /* this thread's PyThreadState, as last seen */
    struct thread_state *next; /* in the pool */
    struct python_stack python;
    struct site_cache sites;
    uintptr_t deferred[THREAD_STATE_DEFERRED]; /* blocks that a signal handler freed */
};

extern thread_local_fixed struct thread_state *thread_state_own;

/* Makes the key whose destructor notices the end of a thread. Once, from the constructor. */
void thread_state_prepare(void);
/* The state of a thread that has none yet; never NULL. */
struct thread_state *thread_state_begin(void);
/* In the child of a fork: the other threads' states are free. */
void thread_state_fork(void);

static always_inline struct thread_state *thread_state_get(void) {
    struct thread_state *own = thread_state_own;
    return likely(own != NULL) ? own : thread_state_begin();
}
