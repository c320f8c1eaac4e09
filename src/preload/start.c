/* SPDX-License-Identifier: MIT */
#include "preload/start.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/message.h"
#include "preload/agent.h"
#include "preload/libc_real.h"
#include "preload/public_api.h"
#include "preload/pymem_hooks.h"
#include "preload/record.h"
#include "preload/record_native.h"
#include "preload/tracemalloc_module.h"
#include "preload/tracing.h"
#include "preload/x_option.h"

static const char variable[] = "PYTHONTRACEMALLOC";

static struct python_runtime runtime;
static const struct options *options;
static long
    kept_off; /* the number that the interpreter itself reads from -X tracemalloc */
static bool prepared;    /* there is a Python, known or not */
static bool frames_work; /* its frames can be walked and its allocators wrapped */
static long x_nframe = X_OPTION_NOT_GIVEN; /* of -X tracemalloc */

/* The frames that a value asks for; 0 when it asks for none, -1 when the interpreter
 * has to reject it. CPython reads it by strtol, base 10. */
static long read_nframe(const char *value) {
    char *end;
    int saved = errno;
    errno = 0;
    long number = strtol(value, &end, 10);
    bool bad =
        errno == ERANGE || *end != '\0' || number < 0 || number > TRACING_MOST_FRAMES;
    errno = saved;
    return *value == '\0' ? 0 : bad ? -1 : number;
}

static void tell_record(void) {
    record_python.thread_local_current = runtime.layout.version >= 0x30c;
    record_python.current_tstate = runtime.current_tstate;
    record_python.get_current = runtime.get_current;
    record_python.this_thread = runtime.this_thread;
    if (runtime.finalizing != NULL)
        record_python.finalizing = runtime.finalizing;
}

static const char *unreadable(void) {
    switch (runtime.implementation) {
    case PYTHON_CPYTHON_FREE_THREADED:
        return "a free-threaded CPython";
    case PYTHON_PYPY:
        return "PyPy";
    default:
        return "this version of CPython";
    }
}

static void listen(long nframe) {
    struct agent_options agent = {options->signal, nframe > 0 ? (uint32_t)nframe : 0};
    agent_listen(&agent);
}

bool start_has_python(void) {
    return python_runtime_find(&runtime) != -ENOENT;
}

/* Python may come late, by dlopen: then the first question for the variable is the
 * moment to look again. */
static bool find_python(void) {
    if (prepared)
        return true;
    int status = python_runtime_find(&runtime);
    if (status == -ENOENT)
        return false;
    prepared = true;
    frames_work = status == 0;
    record_native_prepare(options);
    if (frames_work) {
        tell_record();
        tracemalloc_module_install(&runtime, options->native_domain);
        public_api_install();
    }
    const char *value = libc_real.getenv(variable);
    listen(value != NULL ? read_nframe(value) : 0);
    return true;
}

/* The program goes on untraced when this fails, which was said. */
static void begin(long nframe) {
    if (frames_work)
        pymem_hooks_install(&runtime);
    else if (prepared)
        message(unreadable(), ": native blocks only", NULL);
    if (!tracing_is_on())
        tracing_start((uint32_t)nframe, frames_work);
}

int start_tracing(uint32_t nframe) {
    if (!prepared && !options->any_program)
        return -ENOTSUP;
    if (frames_work)
        pymem_hooks_install(&runtime);
    return tracing_start(nframe, frames_work);
}

/* What the variable says only tells whether to begin at once: there are no Python
 * frames to show. */
static void begin_without_python(void) {
    const char *value = libc_real.getenv(variable);
    long nframe = value != NULL ? read_nframe(value) : 0;
    record_native_prepare(options);
    listen(nframe);
    if (nframe > 0)
        begin(nframe);
}

void start_prepare(const struct options *read, int argc, char **argv) {
    options = read;
    tracing_prepare(options, &runtime);
    if (!find_python()) {
        if (options->any_program)
            begin_without_python();
        return;
    }
    const char *value = libc_real.getenv(variable);
    long nframe = value != NULL ? read_nframe(value) : 0;
    if (frames_work)
        x_nframe = x_option_nframe(argc, argv);
    kept_off = x_nframe;
    tracing_keep_off(kept_off);
    /* 3.6 asks the variable first, and what it says counts. */
    if (runtime.layout.version == 0x306 && value != NULL && *value != '\0')
        x_nframe = X_OPTION_NOT_GIVEN;
    if (x_nframe > 0)
        begin(x_nframe);
    else if (nframe > 0 && x_nframe == X_OPTION_NOT_GIVEN &&
             (options->run_id != 0 || !frames_work))
        begin(nframe);
}

/* 3.7 chooses its allocators again after it has asked for the variable: the hooks are
 * put back at its next question, whatever that is. */
static void check_hooks(const char *name) {
    if (runtime.layout.version == 0x307 && tracing_is_on() &&
        strncmp(name, "PYTHON", 6) == 0)
        pymem_hooks_install(&runtime);
}

exported char *getenv(const char *name) {
    if (!libc_real_ready())
        return NULL;
    char *value = libc_real.getenv(name);
    if (options == NULL || name[0] != 'P')
        return value;
    if (strcmp(name, variable) != 0) {
        check_hooks(name);
        return value;
    }
    long nframe = value != NULL ? read_nframe(value) : 0;
    if (!find_python() || nframe < 0)
        return value;
    long wanted = x_nframe == X_OPTION_NOT_GIVEN ? nframe : x_nframe;
    if (wanted > 0)
        begin(wanted);
    if (runtime.layout.version == 0x306 && kept_off > 0)
        tracemalloc_module_keep_off(&runtime, kept_off);
    return nframe > 0 ? NULL : value;
}
