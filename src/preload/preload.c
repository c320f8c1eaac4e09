/* SPDX-License-Identifier: MIT */
/* The constructor, with which the library begins in the traced process: connects the
 * other directories. */
#include <pthread.h>
#include <stdlib.h>
#include <sys/auxv.h>

#include "base/message.h"
#include "base/sys.h"
#include "event/thread_state.h"
#include "hooks/libc_hooks.h"
#include "hooks/libc_real.h"
#include "hooks/loaded_late.h"
#include "hooks/signal_real.h"
#include "module/public_api.h"
#include "module/tracemalloc_module.h"
#include "trace/gate.h"
#include "trace/tracer.h"
#include "tracing/exec_window.h"
#include "tracing/fork_handlers.h"
#include "tracing/interpreter.h"
#include "tracing/process_end.h"
#include "tracing/start.h"
#include "tracing/traced_process.h"

static struct options options;

static const char *environment_value(const char *name) {
    return libc_real.getenv(name);
}

static void install_module(const struct python_runtime *runtime,
                           const struct options *chosen) {
    tracemalloc_module_install(runtime, chosen->native_domain);
    traced_process.unredirected = public_api_install();
}

__attribute__((constructor)) static void begin(int argc, char **argv) {
    char wrong_value[256];
    loaded_late_detect();
    if (loaded_late)
        return;
    signal_real();
    /* A program with another user's rights must not obey its environment. */
    if (!libc_real_ready() || getauxval(AT_SECURE) != 0)
        return;
    int error =
        options_read(&options, environment_value, wrong_value, sizeof wrong_value);
    message_prepare();
    message_quiet(options.quiet);
    /* A shell that starts the program does not report it as well. */
    if (*wrong_value != '\0' && (options.any_program || interpreter_exists()))
        message(wrong_value, error < 0 ? "; not tracing" : "; tracing without it",
                NULL);
    if (error < 0) {
        exec_window_leave((int)options.signal, false);
        return;
    }
    traced_process.options = &options;
    traced_process.pid = (uint32_t)sys_getpid();
    traced_process.module = (struct traced_process_module){
        install_module, tracemalloc_module_suppress_builtin};
    gate_prepare();
    tracer_prepare();
    thread_state_prepare();
    pthread_atfork(fork_handlers_before, fork_handlers_in_parent,
                   fork_handlers_in_child);
    on_exit(process_end_at_exit, NULL);
    traced_process.bypassed = libc_hooks_bypassed();
    start_prepare(argc, argv);
    exec_window_leave((int)options.signal, tracemalloc_request_signal != 0);
}
