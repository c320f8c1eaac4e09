/* SPDX-License-Identifier: MIT */
#include "tracing/first_frame.h"

#include "base/message.h"
#include "event/event.h"
#include "hooks/free_lists.h"
#include "hooks/pymem_hooks.h"
#include "trace/name_table.h"
#include "trace/reclaim.h"
#include "trace/reclaim_trigger.h"
#include "trace/stack_table.h"
#include "tracing/traced_process.h"

/* The number of -X tracemalloc, until the interpreter's own tracer is suppressed. */
static long builtin_nframe;

static uint32_t add_code(const char *filename, size_t filename_length, const char *name,
                         size_t name_length, uint32_t first_line) {
    return name_table_code(name_table_string(filename, filename_length),
                           name_table_string(name, name_length), first_line);
}

static uint32_t add_node(uint32_t parent, uint32_t code, uint32_t line) {
    return stack_table_node(parent, code, line);
}

static bool holds_gil(void) {
    const void *own = traced_process.runtime->this_thread();
    return own != NULL && traced_process.runtime->get_current() == own;
}

void first_frame_hook_objects(void) {
    if (tracer.dump->header->free_lists != 0)
        free_lists_install(traced_process.runtime);
    else
        free_lists_remove();
}

void first_frame_suppress_builtin(long nframe) {
    builtin_nframe = nframe;
}

/* At the first frame with the GIL: the interpreter's types are ready. False: not with
 * the GIL. */
static bool ready(void) {
    if (!holds_gil())
        return false;
    /* 3.6 chooses its allocators after our constructor. */
    if (traced_process.runtime->layout.version == 0x306)
        pymem_hooks_install(traced_process.runtime);
    if (event_python.thread_local_current && event_python.current_offset == 0)
        event_python.current_offset = python_runtime_current_offset(
            traced_process.runtime, traced_process.runtime->get_current());
    if (event_python.current_tstate != NULL &&
        *event_python.current_tstate != traced_process.runtime->get_current())
        event_python.current_tstate = NULL;
    first_frame_hook_objects();
    if (builtin_nframe > 0)
        traced_process.module.suppress_builtin(traced_process.runtime, builtin_nframe);
    builtin_nframe = 0;
    return true;
}

static void refused(void) {
    event_python.enabled = false;
    event_path = GATE_SLOW_PATH;
    if (gate.open != GATE_CLOSED)
        gate.open = GATE_SLOW_PATH;
    epoch_raise();
    tracer.dump->header->lost[TRACEMALLOC_DUMP_LOST_PYTHON]++;
    message("cannot read this interpreter's frames; Python frames are off", NULL);
}

static void forget_stacks(const struct id_set *stacks) {
    python_stack_forget_nodes(stacks);
    event_native_forget();
}

static void renewed(void) {
    static const struct reclaim_callbacks callbacks = {python_stack_mark_live_codes,
                                                       forget_stacks};
    if (reclaim_trigger.requested)
        reclaim(tracer.dump, &callbacks);
}

const struct python_stack_sink first_frame_sink = {
    add_code, add_node, tracer_watch_code, ready, refused, renewed};
