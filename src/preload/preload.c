/* SPDX-License-Identifier: MIT */
/* The library's beginning and end in the traced process. */
#include <pthread.h>
#include <stdlib.h>
#include <sys/auxv.h>

#include "base/message.h"
#include "preload/libc_real.h"
#include "preload/start.h"
#include "preload/thread_state.h"
#include "preload/tracing.h"
#include "trace/tracer.h"

static struct options options;

static const char *environment_value(const char *name) {
    return libc_real.getenv(name);
}

static void at_exit(int status, void *argument) {
    (void)argument;
    tracing_end(TRACEMALLOC_DUMP_EXITED, status & 0xff);
}

__attribute__((constructor)) static void begin(int argc, char **argv) {
    char error[256];
    /* A program with the rights of somebody else takes no orders from its
     * environment. */
    if (!libc_real_ready() || getauxval(AT_SECURE) != 0)
        return;
    int status = options_read(&options, environment_value, error, sizeof error);
    message_quiet(options.quiet);
    if (status < 0) {
        /* A shell on the way to the program is not to say it too. */
        if (options.any_program || start_has_python())
            message(error, "; not tracing", NULL);
        return;
    }
    tracer_prepare();
    thread_state_prepare();
    pthread_atfork(tracing_before_fork, tracing_in_parent, tracing_in_child);
    on_exit(at_exit, NULL);
    start_prepare(&options, argc, argv);
}
