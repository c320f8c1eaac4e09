/* SPDX-License-Identifier: MIT */
/* What the files of this directory share: the options and the interpreter of this
 * process, and the control lock, under which tracing starts, stops and changes.
 *
 * Options and runtime are written once, from the constructor; the lock protects the
 * rest.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "control/options.h"
#include "event/thread_state.h"
#include "stack/python/python_runtime.h"

/* Functions of module/, a higher layer, that tracing calls when they are due. The
 * constructor fills them in first. */
struct traced_process_module {
    /* A CPython was found whose frames can be walked, and it has not initialised its
     * modules yet. */
    void (*install)(const struct python_runtime *runtime,
                    const struct options *options);
    /* -X tracemalloc=nframe: keeps the interpreter's own tracer from starting, or stops
     * it. With the GIL. */
    void (*suppress_builtin)(const struct python_runtime *runtime, long nframe);
};

struct traced_process {
    const struct options *options;
    const struct python_runtime *runtime;
    struct traced_process_module module;
    uint32_t pid;          /* differs from getpid() in a child of vfork */
    uint32_t generation;   /* dumps before this one */
    bool late;             /* the library was loaded into a process that ran */
    unsigned bypassed;     /* functions of the malloc family that are not ours */
    unsigned unredirected; /* PyTraceMalloc functions that could not be redirected */
};

extern internal struct traced_process traced_process;

/* The signal of requests; 0: none. The command reads it in this process's memory while
 * there is no dump whose header has it. */
extern exported uint32_t tracemalloc_request_signal;

/* Takes the control lock, then the tracer's. Marks the thread as in the tracer, so that
 * no signal handler finds a half-changed table. */
struct thread_state *traced_process_lock(void);
/* Releases both, and carries out what signal handlers deferred meanwhile. */
void traced_process_unlock(struct thread_state *self);
/* In the child of a fork, whose other threads are gone: takes both locks over. */
void traced_process_fork(void);
/* Ends tracing without writing to the dump, and frees the tables. Under both locks. */
void traced_process_forget(void);
/* Whether the caller runs in this process, and not in a child of vfork. */
bool traced_process_is_own(void);
/* Whether the dump is this process's: a child of vfork runs on its parent's memory. */
bool traced_process_owns_dump(void);
