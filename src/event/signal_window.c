/* SPDX-License-Identifier: MIT */
#include "event/signal_window.h"

#include <stdint.h>

#include "base/sys.h"
#include "event/thread_state.h"
#include "trace/tracer.h"

enum { SET_SIZE = 8 }; /* bytes of the kernel's signal set */

thread_local_fixed volatile bool signal_window_needless;
static thread_local_fixed volatile bool is_open;
static thread_local_fixed volatile bool has_deferred;
static thread_local_fixed siginfo_t deferred;

static const uint64_t bus = UINT64_C(1) << (SIGBUS - 1);

/* In a process of one thread the fast paths, which touch the dump without asking, are
 * closed as long as there is need for a window. */
static void set_needless(bool needless) {
    signal_window_needless = needless;
    tracer_share(!needless);
}

/* Sends the signal to the process if it was sent to the process, else to the thread.
 * The kernel lets only the main thread repeat a signal of kill unchanged; from another
 * thread it looks as if sigqueue had sent it. */
static void send_deferred(void) {
    int pid = sys_getpid(), tid = (int)sys_call(SYS_gettid);
    siginfo_t info = deferred;
    has_deferred = false;
    if (info.si_code == SI_TKILL || info.si_code > 0) {
        sys_call(SYS_rt_tgsigqueueinfo, pid, tid, SIGBUS, &info);
        return;
    }
    if (info.si_code == SI_USER && pid != tid)
        info.si_code = SI_QUEUE;
    sys_call(SYS_rt_sigqueueinfo, pid, SIGBUS, &info);
}

/* Sets is_open before the system call, which delivers pending signals before it
 * returns. */
bool signal_window_open(bool learn) {
    uint64_t old = 0;
    if (is_open)
        return false;
    is_open = true;
    sys_call(SYS_rt_sigprocmask, SIG_UNBLOCK, &bus, &old, SET_SIZE);
    if ((old & bus) != 0)
        return true;
    is_open = false;
    if (learn)
        set_needless(true);
    if (has_deferred)
        send_deferred();
    return false;
}

void signal_window_close(void) {
    sys_call(SYS_rt_sigprocmask, SIG_BLOCK, &bus, NULL, SET_SIZE);
    is_open = false;
    if (has_deferred)
        send_deferred();
}

void signal_window_forget(void) {
    if (!signal_window_needless)
        return;
    set_needless(false);
    thread_state_own->owner = THREAD_STATE_NO_OWNER;
}

/* The thread that set the tracer's flag last may have been another one. */
void signal_window_fork(void) {
    tracer_share(!signal_window_needless);
}

bool signal_window_suspend(void) {
    bool was_open = is_open;
    is_open = false;
    signal_window_forget();
    return was_open;
}

void signal_window_resume(bool was_open) {
    signal_window_forget();
    is_open = was_open;
}

/* A standard signal is pending only once: the first sender's information counts. */
bool signal_window_defer(const siginfo_t *info) {
    if (!is_open)
        return false;
    if (!has_deferred)
        deferred = *info;
    has_deferred = true;
    return true;
}

bool signal_window_is_open(void) {
    return is_open;
}
