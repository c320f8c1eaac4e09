/* SPDX-License-Identifier: MIT */
/* The functions of include/tracemalloc.h, and those that CPython has for extension
 * modules (Include/tracemalloc.h; with a leading underscore in 3.6). */
#include "base/compiler.h"
#define TRACEMALLOC_API exported
#include "tracemalloc.h"

#include <errno.h>

#include "base/limits.h"
#include "control/request.h"
#include "event/event_sampled.h"
#include "hooks/redirect.h"
#include "module/public_api.h"
#include "module/tracemalloc_module.h"
#include "stack/python/python_api.h"
#include "tracing/interpreter.h"
#include "tracing/tracing.h"

enum { NOT_TRACING = -2 }; /* what PyTraceMalloc_Track returns then */

int tracemalloc_start(unsigned nframe) {
    if (nframe < 1 || nframe > MAX_NFRAME)
        return -EINVAL;
    return interpreter_trace(nframe, REQUEST_SAMPLE_DEFAULT);
}

int tracemalloc_stop(void) {
    return tracing_stop();
}

int tracemalloc_is_tracing(void) {
    return tracing_is_on();
}

int tracemalloc_clear(void) {
    return tracing_clear();
}

void tracemalloc_get_traced_memory(uint64_t *current, uint64_t *peak) {
    struct tracing_totals totals = tracing_totals();
    if (current != NULL)
        *current = totals.python_bytes;
    if (peak != NULL)
        *peak = totals.python_peak_bytes;
}

int tracemalloc_get_totals(struct tracemalloc_totals *totals) {
    *totals = (struct tracemalloc_totals){0};
    return tracing_all_totals(totals);
}

int tracemalloc_reset_peak(void) {
    return tracing_reset_peaks();
}

int tracemalloc_snapshot(const char *path) {
    return tracing_snapshot(path);
}

static int track(struct event_guard guard, unsigned number, uintptr_t pointer,
                 size_t size) {
    int64_t domain = bucket_table_make_domain(number);
    uint32_t stack = event_capture(guard, EVENT_ANY_THREAD);
    if (domain < 0)
        return -ENOMEM;
    return tracer_track(guard, (uint32_t)domain, pointer, size, stack);
}

static void untrack(struct event_guard guard, unsigned number, uintptr_t pointer) {
    int64_t domain = bucket_table_domain(number);
    if (domain >= 0)
        tracer_untrack(guard, (uint32_t)domain, pointer);
}

/* Whether to record the block: false if it is not sampled. */
static bool is_recorded(struct thread_state *self, size_t size) {
    return gate.exact || (sampler_is_due(&self->sampler, size) &&
                          sampler_take(&self->sampler, size, tracer.sample_distance));
}

static int track_unsampled(struct thread_state *self, unsigned number,
                           uintptr_t pointer) {
    if (!block_map_may_be_sampled(pointer))
        return 0;
    struct event_guard guard = event_begin(self);
    int64_t domain = gate.active ? bucket_table_make_domain(number) : -EALREADY;
    if (domain >= 0)
        tracer_track_unsampled(guard, (uint32_t)domain, pointer);
    event_end(guard);
    return 0;
}

int tracemalloc_track(unsigned domain, uintptr_t pointer, size_t size) {
    int error;
    struct thread_state *self = event_thread_of_call(&error);
    if (self == NULL)
        return error;
    if (!is_recorded(self, size))
        return track_unsampled(self, domain, pointer);
    struct event_guard guard = event_begin(self);
    error = gate.active ? track(guard, domain, pointer, size) : -EALREADY;
    event_end(guard);
    return error;
}

int tracemalloc_untrack(unsigned domain, uintptr_t pointer) {
    int error;
    struct thread_state *self = event_thread_of_call(&error);
    if (self == NULL)
        return error;
    if (gate.sampled && !block_map_may_be_sampled(pointer))
        return 0;
    struct event_guard guard = event_begin(self);
    error = gate.active ? 0 : -EALREADY;
    if (error == 0)
        untrack(guard, domain, pointer);
    event_end(guard);
    return error;
}

int PyTraceMalloc_Track(unsigned domain, uintptr_t pointer, size_t size);
int PyTraceMalloc_Untrack(unsigned domain, uintptr_t pointer);
int _PyTraceMalloc_Track(unsigned domain, uintptr_t pointer, size_t size);
int _PyTraceMalloc_Untrack(unsigned domain, uintptr_t pointer);
void *_PyTraceMalloc_GetTraceback(unsigned domain, uintptr_t pointer);

/* The interpreter's own functions of these names may hide the exported ones even from
 * us, so calls are redirected to the static ones below. */
static int python_track(unsigned domain, uintptr_t pointer, size_t size) {
    int error = tracemalloc_track(domain, pointer, size);
    return error == -EALREADY ? NOT_TRACING : error < 0 ? -1 : 0;
}

static int python_untrack(unsigned domain, uintptr_t pointer) {
    int error = tracemalloc_untrack(domain, pointer);
    return error == -EALREADY ? NOT_TRACING : error < 0 ? -1 : 0;
}

static void *python_traceback(unsigned domain, uintptr_t pointer) {
    return tracemalloc_module_traceback(domain, pointer);
}

exported int PyTraceMalloc_Track(unsigned domain, uintptr_t pointer, size_t size) {
    return python_track(domain, pointer, size);
}

exported int PyTraceMalloc_Untrack(unsigned domain, uintptr_t pointer) {
    return python_untrack(domain, pointer);
}

exported int _PyTraceMalloc_Track(unsigned domain, uintptr_t pointer, size_t size) {
    return python_track(domain, pointer, size);
}

exported int _PyTraceMalloc_Untrack(unsigned domain, uintptr_t pointer) {
    return python_untrack(domain, pointer);
}

exported void *_PyTraceMalloc_GetTraceback(unsigned domain, uintptr_t pointer) {
    return python_traceback(domain, pointer);
}

/* A function that cannot be redirected stays the interpreter's own, which does not
 * trace: nothing is counted twice. -ENOENT: every caller finds ours already. */
unsigned public_api_install(void) {
    static const struct {
        const char *name;
        void *function;
    } redirected[] = {
        {"PyTraceMalloc_Track", python_track},
        {"PyTraceMalloc_Untrack", python_untrack},
        {"_PyTraceMalloc_GetTraceback", python_traceback},
    };
    unsigned failed = 0;
    for (size_t i = 0; i < sizeof redirected / sizeof *redirected; i++) {
        int error = redirect_function(redirected[i].name, redirected[i].function);
        failed += error < 0 && error != -ENOENT;
    }
    return failed;
}
