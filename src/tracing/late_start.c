/* SPDX-License-Identifier: MIT */
#include "tracing/late_start.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "base/limits.h"
#include "base/message.h"
#include "base/sys.h"
#include "control/request.h"
#include "event/event.h"
#include "hooks/free_lists.h"
#include "hooks/got_hooks.h"
#include "hooks/libc_real.h"
#include "hooks/loaded_late.h"
#include "hooks/pymem_hooks.h"
#include "hooks/signal_action.h"
#include "hooks/signal_real.h"
#include "stack/native/native_object.h"
#include "tracing/agent.h"
#include "tracing/interpreter.h"
#include "tracing/process_end.h"
#include "tracing/tracing.h"

enum { MAX_TEXT = 16384, CHILD_EVENTS = 64 };

static const char frames_variable[] = "PYTHONTRACEMALLOC";

/* The options' lines, each ended by a NUL: they point into it. */
static char text[MAX_TEXT];
static size_t text_length;
static struct options options;
static uint32_t nframe;
/* Events that the child of a fork may have before its dump begins: one that only calls
 * exec has fewer. */
static uint32_t child_events;
static bool leaving; /* take_away is due */

static const char *find_value(const char *name) {
    size_t length = strlen(name);
    for (size_t at = 0; at < text_length; at += strlen(text + at) + 1)
        if (strncmp(text + at, name, length) == 0 && text[at + length] == '=')
            return text + at + length + 1;
    return NULL;
}

static int read_options(const char *lines) {
    char message[256];
    size_t length = strlen(lines);
    if (length >= sizeof text)
        return -EINVAL;
    memcpy(text, lines, length + 1);
    text_length = length;
    for (size_t i = 0; i < length; i++)
        if (text[i] == '\n')
            text[i] = '\0';
    const char *frames = find_value(frames_variable);
    long number = frames != NULL ? strtol(frames, NULL, 10) : DEFAULT_NFRAME;
    if (number < 1 || number > MAX_NFRAME)
        return -EINVAL;
    nframe = (uint32_t)number;
    int error = options_read(&options, find_value, message, sizeof message);
    /* Native frames have to be prepared before there is a second thread. */
    options.native_frames = 0;
    options.any_program = false;
    return error;
}

/* --- forked children -------------------------------------------------------------- */

static bool begin_in_child(void) {
    struct thread_state *self = thread_state_get();
    if (self->in_tracer || self->in_allocator || --child_events > 0)
        return false;
    event_file_deferred = false;
    tracing_start(nframe, options.sample_distance, interpreter_frames_work());
    return gate.open || gate.sampled;
}

/* The tables are as the fork met them, in the midst of another thread's event too: they
 * are dropped as they are. */
static void in_child(void) {
    bool was_active = tracer.dump != NULL && tracer.dump->header != NULL;
    traced_process_fork();
    traced_process_forget();
    traced_process_unlock(thread_state_get());
    got_hooks_fork();
    event_file_deferred = leaving;
    if (!was_active || !options.follow_fork)
        return;
    child_events = CHILD_EVENTS;
    event_create_file = begin_in_child;
    event_file_deferred = true;
}

/* --- on and off ------------------------------------------------------------------- */

static void prepare_once(const struct traced_process_module *module) {
    static bool prepared;
    if (prepared)
        return;
    prepared = true;
    signal_real();
    message_prepare();
    traced_process.pid = (uint32_t)sys_getpid();
    traced_process.module = *module;
    traced_process.late = true;
    gate_prepare();
    tracer_prepare();
    thread_state_prepare();
    native_object_prepare();
    pthread_atfork(NULL, NULL, in_child);
    on_exit(process_end_at_exit, NULL);
    traced_process.bypassed = loaded_late_bypassed();
}

/* libc's functions come last, so that nothing of the others is seen by them. */
static int begin(void) {
    struct agent_options agent = {options.signal, nframe, late_start_undo};
    event_file_deferred = leaving = false;
    int error = interpreter_trace(nframe, REQUEST_SAMPLE_DEFAULT);
    if (error < 0)
        return error;
    agent_listen(&agent);
    unsigned failed = got_hooks_install();
    struct thread_state *self = traced_process_lock();
    if (gate.active)
        tracer.dump->header->lost[TRACEMALLOC_DUMP_LOST_LATE] = failed;
    traced_process_unlock(self);
    return 0;
}

int late_start(const char *lines, const struct traced_process_module *module) {
    if (!loaded_late)
        return -EEXIST;
    if (getauxval(AT_SECURE) != 0 || !libc_real_ready())
        return -EPERM;
    if (traced_process.late && tracing_is_on())
        return -EALREADY;
    int error = read_options(lines);
    if (error < 0)
        return error;
    message_quiet(options.quiet);
    traced_process.options = &options;
    prepare_once(module);
    error = got_hooks_prepare();
    if (error < 0)
        return error;
    interpreter_find();
    return begin();
}

/* At a call of one of libc's functions. */
static bool take_away(void) {
    if (got_hooks_remove())
        event_file_deferred = leaving = false;
    return false;
}

void late_start_undo(void) {
    tracing_stop();
    if (interpreter_frames_work()) {
        free_lists_remove();
        pymem_hooks_remove(traced_process.runtime);
    }
    signal_action_uncover();
    tracing_set_signal(0);
    got_hooks_give_up();
    event_create_file = take_away;
    event_file_deferred = leaving = true;
}
