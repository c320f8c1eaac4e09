/* SPDX-License-Identifier: MIT */
#include "process/process_request.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/sys.h"
#include "output/failure.h"
#include "process/clock.h"
#include "process/traced_child.h"

/* Less than the 5 s promised, so that the failure is reported in time. */
enum { PATIENCE_MS = 4500, FIRST_PAUSE_MS = 1, LONGEST_PAUSE_MS = 20 };

struct patience {
    uint64_t end; /* ms of the monotonic clock */
    unsigned pause;
};

static struct patience patience_begin(void) {
    return (struct patience){clock_ms() + PATIENCE_MS, FIRST_PAUSE_MS};
}

/* Sleeps for a short time; returns false if there is no time left. */
static bool patience_wait(struct patience *patience) {
    struct timespec pause = {0, (long)patience->pause * 1000000};
    if (clock_ms() >= patience->end)
        return false;
    nanosleep(&pause, NULL);
    if (patience->pause < LONGEST_PAUSE_MS)
        patience->pause *= 2;
    return true;
}

static int check_status(const struct target *target) {
    const struct process_status *status = &target->status;
    int pid = (int)target->pid;
    if (status->tgid != status->pid)
        return failure_print("%d is a thread of process %d", pid, (int)status->tgid);
    if (status->state == 'Z' || status->state == 'X')
        return failure_print("process %d has ended", pid);
    if (!process_status_is_ours(status))
        return failure_print("process %d belongs to another user", pid);
    return 0;
}

static int examine(struct target *target) {
    int pid = (int)target->pid;
    int error = process_status_read(target->pid, &target->status);
    if (error == -ESRCH)
        return failure_print("there is no process %d", pid);
    if (error < 0)
        return failure_print("cannot examine process %d: %s", pid, strerror(-error));
    if (check_status(target) != 0)
        return 1;
    error = live_dump_open(&target->dump, &target->status);
    if (error < 0)
        return failure_print("cannot examine process %d: %s", pid, strerror(-error));
    target->cleared = target->dump.header.cleared;
    target->census = target->dump.header.census_number;
    return 0;
}

static int open_process(struct target *target, pid_t pid) {
    *target = (struct target){.pid = pid, .dump = {.fd = -1}};
    /* First, so that a later process with the same pid cannot be examined instead.
     * Kernels before 5.3 do not have this call. */
    target->pidfd = (int)sys_call(SYS_pidfd_open, pid, 0);
    if (target->pidfd < 0)
        target->pidfd = -1;
    int status = examine(target);
    if (status != 0)
        target_close(target);
    return status;
}

static pid_t find_child(pid_t parent) {
    pid_t child = traced_child_find(parent);
    return child < 0 ? traced_child_find_listening(parent) : child;
}

int target_open(struct target *target, pid_t pid) {
    int status = open_process(target, pid);
    if (status != 0 || target->dump.loaded)
        return status;
    pid_t child = find_child(pid);
    target_close(target);
    if (child < 0)
        return failure_print("process %d does not have libtracemalloc.so loaded",
                             (int)pid);
    return open_process(target, child);
}

void target_close(struct target *target) {
    live_dump_close(&target->dump);
    if (target->pidfd >= 0)
        close(target->pidfd);
    target->pidfd = -1;
}

bool target_is_tracing(const struct target *target) {
    return target->dump.fd >= 0;
}

bool target_listens(struct target *target) {
    return process_status_read(target->pid, &target->status) == 0 &&
           process_status_catches(&target->status, target->signal);
}

/* Finds the signal by which the process takes requests. 0 or 1. */
static int find_signal(const struct target *target, int *number) {
    int pid = (int)target->pid;
    bool tracing = target_is_tracing(target);
    *number = tracing ? (int)target->dump.header.request_signal
                      : process_status_request_signal(target->pid);
    if (*number >= 1 && *number <= SIGRTMAX &&
        process_status_catches(&target->status, *number))
        return 0;
    if (tracing)
        return failure_print("process %d uses the request signal itself "
                             "(set TRACEMALLOC_SIGNAL to choose another)",
                             pid);
    if (*number == 0)
        return failure_print(
            "process %d takes no requests: it has no Python, cannot be "
            "traced, or was detached from (tracemalloc attach %d)",
            pid, pid);
    return failure_print(
        "process %d does not handle signal %d: it has no Python, or cannot be traced",
        pid, *number);
}

/* Whether the process has ended, even if another one has its pid. */
static bool is_gone(struct target *target) {
    uint64_t start = target->status.start;
    return process_status_read(target->pid, &target->status) < 0 ||
           target->status.start != start || target->status.state == 'Z' ||
           target->status.state == 'X';
}

/* Reports why the process cannot respond at all, and returns 1; else returns 0. */
static int check_responsive(struct target *target) {
    int pid = (int)target->pid;
    if (is_gone(target))
        return failure_print("process %d has ended", pid);
    if (process_status_is_held(&target->status))
        return failure_print(
            "process %d is stopped and cannot respond (kill -CONT %d resumes it)", pid,
            pid);
    return 0;
}

/* Waits until the signal is not blocked: a pending request would be carried out at an
 * unexpected time. */
static int wait_until_unblocked(struct target *target, int number,
                                struct patience *patience) {
    do {
        if (check_responsive(target) != 0)
            return 1;
        if (!process_status_blocks(target->pid, number))
            return 0;
    } while (patience_wait(patience));
    return failure_print("process %d blocks signal %d, which requests use",
                         (int)target->pid, number);
}

static int send_signal(const struct target *target, int number, uint64_t value) {
    siginfo_t info = {.si_signo = number, .si_code = SI_QUEUE};
    info.si_pid = getpid();
    info.si_uid = getuid();
    info.si_value.sival_ptr = (void *)value;
    if (target->pidfd >= 0)
        return (int)sys_call(SYS_pidfd_send_signal, target->pidfd, number, &info, 0);
    return (int)sys_call(SYS_rt_sigqueueinfo, target->pid, number, &info);
}

static int report_timeout(struct target *target, int number) {
    int pid = (int)target->pid;
    if (target->status.state == 'D')
        return failure_print("process %d did not respond: it is waiting in the kernel",
                             pid);
    if (process_status_blocks(target->pid, number))
        return failure_print("process %d did not respond: it blocks signal %d", pid,
                             number);
    return failure_print("process %d did not respond within 5 s", pid);
}

static int wait_for_answer(struct target *target, int number, struct patience *patience,
                           bool (*is_done)(struct target *target)) {
    do {
        if (is_done(target))
            return 0;
        if (check_responsive(target) != 0)
            return 1;
        if (target->dump.header.census_running != 0)
            patience->end = clock_ms() + PATIENCE_MS;
    } while (patience_wait(patience));
    return report_timeout(target, number);
}

int target_request(struct target *target, struct request request,
                   bool (*is_done)(struct target *target)) {
    struct patience patience = patience_begin();
    int number;
    if (find_signal(target, &number) != 0 ||
        wait_until_unblocked(target, number, &patience) != 0)
        return 1;
    target->signal = number;
    int error = send_signal(target, number, request_encode(request));
    if (error < 0)
        return failure_print("cannot signal process %d: %s", (int)target->pid,
                             error == -ESRCH ? "it has ended" : strerror(-error));
    return wait_for_answer(target, number, &patience, is_done);
}
