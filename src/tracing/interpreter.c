/* SPDX-License-Identifier: MIT */
#include "tracing/interpreter.h"

#include <errno.h>

#include "control/request.h"
#include "event/event.h"
#include "event/event_native.h"
#include "hooks/pymem_hooks.h"
#include "tracing/traced_process.h"
#include "tracing/tracing.h"

static struct python_runtime runtime;
static bool found;       /* there is a Python, of a known version or not */
static bool frames_work; /* its frames can be walked and its allocators wrapped */

static void describe_to_events(void) {
    event_python.thread_local_current = runtime.layout.version >= 0x30c;
    event_python.current_tstate = runtime.current_tstate;
    event_python.get_current = runtime.get_current;
    event_python.this_thread = runtime.this_thread;
    event_python.interpreter_of = runtime.interpreter_of;
    event_python.main_interpreter = runtime.main_interpreter;
    if (runtime.finalizing != NULL)
        event_python.finalizing = runtime.finalizing;
}

bool interpreter_exists(void) {
    return python_runtime_find(&runtime) != -ENOENT;
}

bool interpreter_find(void) {
    if (found)
        return true;
    traced_process.runtime = &runtime;
    int error = python_runtime_find(&runtime);
    if (error == -ENOENT)
        return false;
    found = true;
    frames_work = error == 0;
    event_native_prepare(traced_process.options);
    if (frames_work) {
        describe_to_events();
        traced_process.module.install(&runtime, traced_process.options);
    }
    return true;
}

bool interpreter_is_found(void) {
    return found;
}

bool interpreter_frames_work(void) {
    return frames_work;
}

const char *interpreter_unreadable(void) {
    switch (runtime.implementation) {
    case PYTHON_CPYTHON_FREE_THREADED:
        return "a free-threaded CPython";
    case PYTHON_PYPY:
        return "PyPy";
    default:
        return "this version of CPython";
    }
}

static uint32_t sample_distance(uint32_t sample) {
    if (sample == REQUEST_SAMPLE_DEFAULT)
        return traced_process.options->sample_distance;
    return sample == REQUEST_SAMPLE_NONE ? 0 : sample;
}

/* CPython 3.13 changes its allocators under a mutex. A request that arrives meanwhile
 * is deferred: carried out at once, it would wait for that mutex, which the interrupted
 * code holds. */
static void wrap_allocators(void) {
    struct thread_state *self = thread_state_get();
    bool is_nested = self->in_tracer;
    self->in_tracer = true;
    pymem_hooks_install(&runtime);
    self->in_tracer = is_nested;
    if (!is_nested && self->has_deferred)
        event_do_deferred(self);
}

int interpreter_trace(uint32_t nframe, uint32_t sample) {
    if (!found && !traced_process.options->any_program)
        return -ENOTSUP;
    if (frames_work)
        wrap_allocators();
    return tracing_start(nframe, sample_distance(sample), frames_work);
}

void interpreter_hook_again(void) {
    if (runtime.layout.version == 0x307 && tracing_is_on())
        pymem_hooks_install(&runtime);
}
