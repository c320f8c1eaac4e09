/* SPDX-License-Identifier: MIT */
#include "tracing/process_end.h"

#include "base/process.h"
#include "dump/dump_growth.h"
#include "event/event.h"
#include "trace/timeline.h"
#include "tracing/fork_handlers.h"
#include "tracing/traced_process.h"

void process_end_seal(enum tracemalloc_dump_state state, int status) {
    struct tracemalloc_dump_header *header = tracer.dump->header;
    timeline_add();
    header->end_time = process_clock();
    header->exit_status = status;
    dump_growth_trim(tracer.dump);
    __atomic_store_n(&header->state, (uint32_t)state, __ATOMIC_RELEASE);
}

void process_end(enum tracemalloc_dump_state state, int status) {
    fork_handlers_end();
    if (!traced_process_owns_dump() || thread_state_get()->in_tracer)
        return;
    struct thread_state *self = traced_process_lock();
    if (gate.active) {
        if (state == TRACEMALLOC_DUMP_EXITED)
            tracer_freeze();
        process_end_seal(state, status);
    }
    traced_process_unlock(self);
}

void process_end_at_exit(int status, void *unused) {
    (void)unused;
    process_end(TRACEMALLOC_DUMP_EXITED, status & 0xff);
}

void process_end_undo(void) {
    if (!traced_process_owns_dump())
        return;
    struct tracemalloc_dump_header *header = tracer.dump->header;
    bool opened = signal_window_open(false);
    header->end_time = 0;
    __atomic_store_n(&header->state, TRACEMALLOC_DUMP_TRACING, __ATOMIC_RELEASE);
    if (opened)
        signal_window_close();
}
