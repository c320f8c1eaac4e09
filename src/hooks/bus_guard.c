/* SPDX-License-Identifier: MIT */
#include "hooks/bus_guard.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>

#include "base/machine.h"
#include "base/message.h"
#include "base/sys.h"
#include "event/event.h"
#include "event/signal_window.h"
#include "hooks/libc_real.h"
#include "hooks/signal_action.h"

enum { INIT = 1 };

static bool replace_page(uintptr_t address) {
    void *page = (void *)machine_page_of(address);
    return !sys_failed(sys_mmap(page, machine_page_size(), PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
}

/* The interrupted code continues with an empty page, whose ids are all 0 and refer to
 * nothing. No event follows. */
static void stop_tracing(void) {
    bool was_active = gate.active;
    gate_close();
    event_file_deferred = false;
    tracer_deactivate();
    if (was_active)
        message("another process cut the dump off: tracing stopped", NULL);
}

/* Ends the process by the signal itself: with the default action in place it is sent
 * again, and the kernel delivers it when the handler returns. */
static void die(siginfo_t *info) {
    static const struct sigaction action = {.sa_handler = SIG_DFL};
    long pid = sys_getpid(), tid = sys_call(SYS_gettid);
    libc_real.sigaction(SIGBUS, &action, NULL);
    sys_call(SYS_rt_tgsigqueueinfo, pid, tid, SIGBUS, info);
}

/* To the program. A signal that was sent to the first process of a container, and whose
 * action is the default, is ignored, as the kernel does. */
static void forward(int number, siginfo_t *info, void *context) {
    struct sigaction program = signal_action_program(number);
    bool sent = info->si_code <= 0;
    if (signal_action_is_function(&program)) {
        if (((unsigned)program.sa_flags & SA_RESETHAND) != 0)
            signal_action_reset(number);
        signal_action_call(&program, number, info, context);
    } else if (!sent || (program.sa_handler == SIG_DFL && sys_getpid() != INIT))
        die(info);
}

static void handle(int number, siginfo_t *info, void *context) {
    uintptr_t address = (uintptr_t)info->si_addr;
    bool is_fault = info->si_code > 0;
    int saved_errno = errno;
    if (is_fault && tracer.dump != NULL && dump_file_contains(tracer.dump, address) &&
        replace_page(address))
        stop_tracing();
    else if (is_fault && signal_window_is_open())
        die(info);
    else if (is_fault || !signal_window_defer(info)) {
        forward(number, info, context);
        return;
    }
    errno = saved_errno;
}

static void arrange(const struct sigaction *program, struct sigaction *ours) {
    if (signal_action_is_function(program)) {
        ours->sa_flags = program->sa_flags & (SA_ONSTACK | SA_RESTART | SA_NODEFER);
        ours->sa_mask = program->sa_mask;
    } else
        ours->sa_flags = SA_ONSTACK | SA_RESTART;
    ours->sa_flags |= SA_SIGINFO;
}

void bus_guard_install(void) {
    static const struct signal_cover cover = {handle, arrange, NULL};
    /* Tracing continues without the guard: then a dump that is cut off ends the
     * program. */
    if (signal_action_cover(SIGBUS, &cover) < 0)
        return;
}
