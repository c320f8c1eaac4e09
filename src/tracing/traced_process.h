/* SPDX-License-Identifier: MIT */
/* What the parts of this directory share: the options and the interpreter of this
 * process, and the lock of tracing's life.
 *
 * Options and runtime are written once, from the constructor; the rest is protected by
 * the lock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "control/options.h"
#include "event/thread_state.h"
#include "stack/python/python_runtime.h"

/* Functions of module/, which is above this directory: tracing calls them at its own
 * moments. preload.c fills them in before the constructor goes on. */
struct traced_process_module {
    /* A CPython was found whose frames can be walked; its start-up has not begun, or
     * has not come to its modules. */
    void (*install)(const struct python_runtime *runtime,
                    const struct options *options);
    /* -X tracemalloc=nframe: the interpreter's own tracer is prevented or ended. With
     * the GIL. */
    void (*suppress_builtin)(const struct python_runtime *runtime, long nframe);
};

struct traced_process {
    const struct options *options;
    const struct python_runtime *runtime;
    struct traced_process_module module;
    uint32_t pid;          /* another one in a child that runs on this memory */
    uint32_t signal;       /* by which requests come; 0: none */
    uint32_t generation;   /* dumps before this one */
    unsigned bypassed;     /* functions of malloc's family that are not ours */
    unsigned unredirected; /* of PyTraceMalloc's that are the interpreter's own */
};

extern internal struct traced_process traced_process;

/* Takes the locks of tracing's life and of the tables. Marks the thread as inside the
 * tracer, so that a signal handler does not meet a half-made table. */
struct thread_state *traced_process_lock(void);
/* Also carries out what signal handlers deferred meanwhile. */
void traced_process_unlock(struct thread_state *self);
/* In the child of a fork, whose other threads are gone: takes both locks over. */
void traced_process_fork(void);
/* Ends tracing without a word in the dump, and gives the tables back. With both
 * locks. */
void traced_process_forget(void);
/* Whether the caller runs in this process, and not in a child of vfork. */
bool traced_process_is_own(void);
/* Whether the dump is this process's: a child of vfork runs on its parent's memory. */
bool traced_process_owns_dump(void);
