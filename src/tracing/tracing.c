/* SPDX-License-Identifier: MIT */
#include "tracing/tracing.h"

#include <errno.h>

#include "base/message.h"
#include "base/process.h"
#include "dump/dump_copy.h"
#include "event/event.h"
#include "hooks/bus_guard.h"
#include "tracing/dump_header.h"
#include "tracing/dump_output.h"
#include "tracing/first_frame.h"
#include "tracing/limit_snapshot.h"
#include "tracing/process_end.h"
#include "tracing/traced_process.h"
#include "tracing/type_census.h"
#include "tracemalloc.h"

bool tracing_is_on(void) {
    return gate.active;
}

static unsigned granule(void) {
    return traced_process.runtime->version >> 16 < 0x308 ? 8 : 16;
}

static int open_all(uint32_t nframe, uint32_t sample_distance, bool frames_work) {
    const struct tracer_start start = {
        .granule = granule(),
        .max_file = traced_process.options->max_file,
        .code_freed = frames_work ? python_stack_code_freed : NULL,
        .sample_distance = sample_distance,
    };
    tracer.before_freeze = traced_process.options->types ? type_census_take : NULL;
    int error = tracer_open(&start);
    if (error < 0)
        return error;
    if (frames_work)
        error = python_stack_open(traced_process.runtime, &first_frame_sink, nframe);
    if (error < 0) {
        python_stack_close();
        tracer_close();
        return error;
    }
    dump_header_describe(nframe, frames_work);
    event_native_open(frames_work ? &traced_process.runtime->layout : NULL);
    event_python.enabled = frames_work;
    return 0;
}

/* Once in a process; each dump says it too. */
static void report_limits(void) {
    if (traced_process.generation > 0)
        return;
    if (traced_process.bypassed > 0)
        message("the process uses another allocator: blocks of libc are missing, "
                "or some of them",
                NULL);
    if (traced_process.unredirected > 0)
        message("cannot change code in this process: memory that modules report is "
                "not recorded",
                NULL);
}

static int start_locked(uint32_t nframe, uint32_t sample_distance, bool frames_work) {
    if (tracing_is_on())
        return -EALREADY;
    int error = open_all(nframe, sample_distance, frames_work);
    if (error < 0) {
        message("not tracing: no memory for the tables", NULL);
        return error;
    }
    dump_output_attach();
    bus_guard_install();
    limit_snapshot_open();
    report_limits();
    traced_process.generation++;
    tracer_activate();
    if (event_python.enabled && !event_native.enabled && sample_distance == 0)
        event_path = python_walk.recent ? GATE_FAST_PATH_RECENT : GATE_FAST_PATH;
    gate_open(event_path, sample_distance != 0);
    return 0;
}

int tracing_start(uint32_t nframe, uint32_t sample_distance, bool frames_work) {
    if (sample_distance != 0 && !tracing_is_on())
        thread_state_forget_samples();
    struct thread_state *self = traced_process_lock();
    int error = start_locked(nframe, sample_distance, frames_work);
    traced_process_unlock(self);
    return error;
}

int tracing_stop(void) {
    struct thread_state *self = traced_process_lock();
    int error = tracing_is_on() ? 0 : -EALREADY;
    if (error == 0) {
        gate_close();
        event_file_deferred = false;
        event_path = GATE_SLOW_PATH;
        tracer_deactivate();
        limit_snapshot_close();
        process_end_seal(TRACEMALLOC_DUMP_STOPPED, 0);
        event_native_close();
        python_stack_close();
        tracer_close();
    }
    traced_process_unlock(self);
    return error;
}

int tracing_clear(void) {
    struct thread_state *self = traced_process_lock();
    int error = gate.active ? 0 : -EALREADY;
    if (error == 0) {
        tracer_clear();
        /* The block map's flags on code objects are gone, so their end will not be
         * noticed. */
        if (event_python.enabled)
            python_stack_forget();
        __atomic_fetch_add(&tracer.dump->header->cleared, 1, __ATOMIC_RELEASE);
    }
    traced_process_unlock(self);
    return error;
}

void tracing_take_census(void) {
    struct thread_state *self = traced_process_lock();
    if (gate.active)
        type_census_take();
    traced_process_unlock(self);
}

int tracing_snapshot(const char *path) {
    struct thread_state *self = traced_process_lock();
    int error = -EALREADY;
    if (gate.active) {
        tracer_measure();
        const struct dump_copy copy = {.end_time = process_clock()};
        error = dump_copy_to(tracer.dump, path, &copy);
    }
    traced_process_unlock(self);
    return error;
}

void tracing_set_signal(uint32_t number) {
    bool opened = signal_window_open(false);
    tracemalloc_request_signal = number;
    if (gate.active)
        tracer.dump->header->request_signal = number;
    if (opened)
        signal_window_close();
}

struct tracing_totals tracing_totals(void) {
    struct tracing_totals totals = {0};
    struct thread_state *self = traced_process_lock();
    if (gate.active) {
        const struct tracemalloc_dump_header *header = tracer.dump->header;
        totals.python_bytes = header->python_bytes;
        totals.python_peak_bytes = header->python_peak_bytes > header->python_bytes
                                       ? header->python_peak_bytes
                                       : header->python_bytes;
    }
    traced_process_unlock(self);
    return totals;
}

void tracing_reset_peak(void) {
    struct thread_state *self = traced_process_lock();
    if (gate.active)
        tracer_reset_peak();
    traced_process_unlock(self);
}

int tracing_all_totals(struct tracemalloc_totals *totals) {
    struct thread_state *self = traced_process_lock();
    int error = gate.active ? 0 : -EALREADY;
    if (error == 0) {
        const struct tracemalloc_dump_header *header = tracer.dump->header;
        totals->bytes = header->python_bytes + header->native_bytes;
        totals->peak_bytes =
            header->peak_bytes > totals->bytes ? header->peak_bytes : totals->bytes;
        totals->allocations = bucket_table_count_allocations();
    }
    traced_process_unlock(self);
    return error;
}

int tracing_reset_peaks(void) {
    struct thread_state *self = traced_process_lock();
    int error = gate.active ? 0 : -EALREADY;
    if (error == 0)
        tracer_reset_peaks();
    traced_process_unlock(self);
    return error;
}

uint32_t tracing_nframe(void) {
    struct thread_state *self = traced_process_lock();
    uint32_t nframe = tracing_is_on() ? tracer.dump->header->nframe : 0;
    traced_process_unlock(self);
    return nframe;
}

uint64_t tracing_memory(void) {
    struct thread_state *self = traced_process_lock();
    uint64_t bytes = 0;
    if (gate.active) {
        tracer_measure();
        bytes = tracer.dump->header->tracer_bytes + tracer.dump->header->file_size;
    }
    traced_process_unlock(self);
    return bytes;
}
