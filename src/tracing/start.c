/* SPDX-License-Identifier: MIT */
#include "tracing/start.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/message.h"
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
/* The number that the interpreter itself reads from -X tracemalloc. */
static long builtin_nframe;
static long x_nframe = X_OPTION_NOT_GIVEN; /* of -X tracemalloc, as it counts */

/* The frames that a value asks for; 0 when it asks for none, -1 when the interpreter
 * has to reject it. CPython reads it by strtol, base 10. */
static long read_nframe(const char *value) {
    char *end;
    int saved = errno;
    errno = 0;
    long number = strtol(value, &end, 10);
    bool bad = errno == ERANGE || *end != '\0' || number < 0 || number > MAX_NFRAME;
    errno = saved;
    return *value == '\0' ? 0 : bad ? -1 : number;
}

static void listen(long nframe) {
    struct agent_options agent = {traced_process.options->signal,
                                  nframe > 0 ? (uint32_t)nframe : 0};
    agent_listen(&agent);
}

static bool find_python(void) {
    if (interpreter_is_found())
        return true;
    if (!interpreter_find())
        return false;
    const char *value = libc_real.getenv(variable);
    listen(value != NULL ? read_nframe(value) : 0);
    return true;
}

/* The program goes on untraced when this fails, which was reported. */
static void begin(long nframe) {
    if (interpreter_is_found() && !interpreter_frames_work())
        message(interpreter_unreadable(), ": native blocks only", NULL);
    interpreter_trace((uint32_t)nframe);
}

/* What the variable says only tells whether to begin at once: there are no Python
 * frames to show. */
static void begin_without_python(void) {
    const char *value = libc_real.getenv(variable);
    long nframe = value != NULL ? read_nframe(value) : 0;
    event_native_prepare(traced_process.options);
    listen(nframe);
    if (nframe > 0)
        begin(nframe);
}

/* As the variable says, of an interpreter that may not ask for it. */
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
    long nframe = value != NULL ? read_nframe(value) : 0;
    if (interpreter_frames_work())
        x_nframe = x_option_nframe(argc, argv);
    builtin_nframe = x_nframe;
    first_frame_suppress_builtin(builtin_nframe);
    /* 3.6 asks the variable first, and what it says counts. */
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
    long nframe = value != NULL ? read_nframe(value) : 0;
    if (!find_python() || nframe < 0)
        return value;
    long wanted = x_nframe == X_OPTION_NOT_GIVEN ? nframe : x_nframe;
    if (wanted > 0)
        begin(wanted);
    if (traced_process.runtime->layout.version == 0x306 && builtin_nframe > 0)
        traced_process.module.suppress_builtin(traced_process.runtime, builtin_nframe);
    return nframe > 0 ? NULL : value;
}

/* A CPython makes a key as its runtime comes up, whatever its configuration: the first
 * that can be seen of one that dlopen brought and that asks for no variable. */
exported int pthread_key_create(pthread_key_t *key, void (*destroy)(void *)) {
    uintptr_t caller = (uintptr_t)__builtin_return_address(0);
    if (!libc_real_ready())
        return EAGAIN;
    if (prepared && !interpreter_is_found() && python_runtime_is_code(caller)) {
        const char *value = libc_real.getenv(variable);
        int saved = errno;
        if (find_python())
            begin_unasked(value != NULL ? read_nframe(value) : 0);
        errno = saved;
    }
    return libc_real.pthread_key_create(key, destroy);
}
