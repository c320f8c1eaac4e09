/* SPDX-License-Identifier: MIT */
#include "tracing/start.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/message.h"
#include "control/request.h"
#include "event/event_native.h"
#include "hooks/libc_real.h"
#include "stack/native/native_object.h"
#include "tracing/agent.h"
#include "tracing/first_frame.h"
#include "tracing/interpreter.h"
#include "tracing/traced_process.h"
#include "tracing/tracing.h"
#include "tracing/x_option.h"

static const char variable[] = "PYTHONTRACEMALLOC";

static bool prepared; /* the constructor has run */
/* The number of -X tracemalloc as the interpreter itself reads it. */
static long builtin_nframe;
static long x_nframe = X_OPTION_NOT_GIVEN; /* of -X tracemalloc, if it takes effect */

/* The frames that PYTHONTRACEMALLOC asks for; 0 if it asks for none, X_OPTION_BAD if
 * the interpreter has to reject it. */
static long read_nframe(const char *value) {
    return value == NULL || *value == '\0' ? 0 : x_option_read_nframe(value);
}

static long asked_nframe(void) {
    return read_nframe(libc_real.getenv(variable));
}

static void listen(long nframe) {
    struct agent_options agent = {traced_process.options->signal,
                                  nframe > 0 ? (uint32_t)nframe : 0, NULL};
    agent_listen(&agent);
}

static bool find_python(void) {
    if (interpreter_is_found())
        return true;
    if (!interpreter_find())
        return false;
    listen(asked_nframe());
    return true;
}

/* If this fails, a message has said so and the program runs untraced. */
static void begin(long nframe) {
    if (interpreter_is_found() && !interpreter_frames_work())
        message(interpreter_unreadable(), ": native blocks only", NULL);
    interpreter_trace((uint32_t)nframe, REQUEST_SAMPLE_DEFAULT);
}

/* The variable only decides whether to begin now: there are no Python frames to
 * show. */
static void begin_without_python(void) {
    long nframe = asked_nframe();
    event_native_prepare(traced_process.options);
    listen(nframe);
    if (nframe > 0)
        begin(nframe);
}

/* Begins for an interpreter that may never read the variable. */
static void begin_unasked(long nframe) {
    if (nframe > 0 &&
        (traced_process.options->run_id != 0 || !interpreter_frames_work()))
        begin(nframe);
}

void start_prepare(int argc, char **argv) {
    const struct options *options = traced_process.options;
    native_object_prepare();
    prepared = true;
    if (!find_python()) {
        if (options->any_program)
            begin_without_python();
        return;
    }
    const char *value = libc_real.getenv(variable);
    long nframe = read_nframe(value);
    if (interpreter_frames_work())
        x_nframe = x_option_nframe(argc, argv);
    builtin_nframe = x_nframe;
    first_frame_suppress_builtin(builtin_nframe);
    /* 3.6 reads the variable first, and it takes precedence. */
    if (traced_process.runtime->layout.version == 0x306 && value != NULL &&
        *value != '\0')
        x_nframe = X_OPTION_NOT_GIVEN;
    if (x_nframe > 0)
        begin(x_nframe);
    else if (x_nframe == X_OPTION_NOT_GIVEN)
        begin_unasked(nframe);
}

exported char *getenv(const char *name) {
    if (!libc_real_ready())
        return NULL;
    char *value = libc_real.getenv(name);
    if (!prepared || name[0] != 'P')
        return value;
    if (strcmp(name, variable) != 0) {
        if (strncmp(name, "PYTHON", 6) == 0)
            interpreter_hook_again();
        return value;
    }
    long nframe = read_nframe(value);
    if (!find_python() || nframe < 0)
        return value;
    long wanted = x_nframe == X_OPTION_NOT_GIVEN ? nframe : x_nframe;
    if (wanted > 0)
        begin(wanted);
    if (traced_process.runtime->layout.version == 0x306 && builtin_nframe > 0)
        traced_process.module.suppress_builtin(traced_process.runtime, builtin_nframe);
    return nframe > 0 ? NULL : value;
}

/* A CPython creates a thread-specific key when its runtime initialises, whatever its
 * configuration: the first sign of one that dlopen loaded and that reads no
 * variable. */
exported int pthread_key_create(pthread_key_t *key, void (*destroy)(void *)) {
    uintptr_t caller = (uintptr_t)__builtin_return_address(0);
    if (!libc_real_ready())
        return EAGAIN;
    if (prepared && !interpreter_is_found() && python_runtime_is_code(caller)) {
        int saved_errno = errno;
        if (find_python())
            begin_unasked(asked_nframe());
        errno = saved_errno;
    }
    return libc_real.pthread_key_create(key, destroy);
}
