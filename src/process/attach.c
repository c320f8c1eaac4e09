/* SPDX-License-Identifier: MIT */
#include "process/attach.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "output/failure.h"
#include "process/attach_filters.h"
#include "process/attach_script.h"
#include "process/attach_target.h"
#include "process/clock.h"
#include "process/tracee.h"

enum { PATIENCE_MS = 10000, CALL_MS = 10000 };

static volatile bool is_interrupted;

static void interrupt(int number) {
    (void)number;
    is_interrupted = true;
}

/* A signal that is ignored, as by nohup, stays ignored. */
static void catch (int number) {
    struct sigaction action;
    sigaction(number, NULL, &action);
    if (action.sa_handler == SIG_IGN)
        return;
    action = (struct sigaction){.sa_handler = interrupt};
    sigaction(number, &action, NULL);
}

/* --- the thread ------------------------------------------------------------------- */

static bool has_stack(const struct attach_target *target, uint64_t pointer) {
    const struct remote_mapping *stack = remote_mappings_at(&target->mappings, pointer);
    /* The first thread's grows. */
    return stack != NULL && (strcmp(stack->path, "[stack]") == 0 ||
                             pointer - stack->start > TRACEE_STACK);
}

static bool is_safe(const struct attach_target *target, const struct tracee *tracee) {
    const struct user_regs_struct *registers = &tracee->registers;
    if (!has_stack(target, registers->rsp))
        return false;
    if (tracee_waits(registers))
        return !attach_target_is_loader(target, registers->rip);
    return attach_target_is_free(target, registers->rip);
}

/* 0: stopped at a safe point; -EAGAIN: it was not at one; -ESRCH: it has ended;
 * -errno. */
static int try_thread(const struct attach_target *target, struct tracee *tracee,
                      const char *name) {
    int error = tracee_stop(tracee, target->status.pid, (pid_t)strtol(name, NULL, 10));
    if (error < 0 || is_safe(target, tracee))
        return error;
    tracee_release(tracee);
    return -EAGAIN;
}

/* Likewise, of any thread; -ESRCH: all have ended. */
static int try_threads(const struct attach_target *target, struct tracee *tracee) {
    char path[64];
    struct dirent *entry;
    int error = -EAGAIN;
    bool lives = false;
    snprintf(path, sizeof path, "/proc/%d/task", (int)target->status.pid);
    DIR *threads = opendir(path);
    if (threads == NULL)
        return -ESRCH;
    while ((error == -EAGAIN || error == -ESRCH) && !is_interrupted &&
           (entry = readdir(threads)) != NULL)
        if (entry->d_name[0] != '.') {
            error = try_thread(target, tracee, entry->d_name);
            lives |= error == -EAGAIN;
        }
    closedir(threads);
    return error == -ESRCH && lives ? -EAGAIN : error;
}

static int find_thread(const struct attach_target *target, struct tracee *tracee) {
    static const struct timespec pause = {0, 1000000};
    uint64_t limit = clock_ms() + PATIENCE_MS;
    int pid = (int)target->status.pid, error;
    while ((error = try_threads(target, tracee)) == -EAGAIN) {
        if (is_interrupted)
            return failure_print("interrupted: process %d is unchanged", pid);
        if (clock_ms() >= limit)
            return failure_print("process %d reached no safe point within %d s and is "
                                 "unchanged: try again",
                                 pid, PATIENCE_MS / 1000);
        nanosleep(&pause, NULL);
    }
    if (error == -ETIMEDOUT)
        return failure_print("a thread of process %d waits inside the kernel: try "
                             "again",
                             pid);
    return error < 0 ? attach_target_refuse(target, error) : 0;
}

/* --- the calls -------------------------------------------------------------------- */

static int call(const struct attach_target *target, struct tracee *tracee,
                const struct tracee_call *what) {
    int pid = (int)target->status.pid;
    int error = tracee_run(tracee, what, clock_ms() + CALL_MS, &is_interrupted);
    if (error == -ETIMEDOUT)
        return failure_print("process %d did not load the library within %d s, and "
                             "continues",
                             pid, CALL_MS / 1000);
    if (error == -EINTR)
        return failure_print("interrupted: process %d continues, perhaps traced", pid);
    return error < 0 ? attach_target_refuse(target, error) : 0;
}

static int explain(pid_t pid, int64_t status) {
    int number = (int)pid;
    switch (status) {
    case 0:
        return 0;
    case -EEXIST:
        return failure_print("process %d was started with the library", number);
    case -EALREADY:
        return failure_print("process %d is already being traced", number);
    case -ENOTSUP:
        return failure_print("there is no Python in process %d", number);
    default:
        return failure_print("process %d cannot be traced: %s", number,
                             status < 0 && status > -4096 ? strerror((int)-status)
                                                          : "the library did not "
                                                            "respond");
    }
}

static int load(const struct attach_target *target, struct tracee *tracee,
                const struct attach_request *request) {
    struct tracee_call what = {target->open, target->restore, request->library,
                               RTLD_NOW, NULL};
    return target->is_loaded ? 0 : call(target, tracee, &what);
}

static int begin(const struct attach_target *target, struct tracee *tracee,
                 const struct attach_request *request) {
    int64_t status = 0;
    uint64_t function = attach_target_function(target, "tracemalloc_attach");
    if (function == 0)
        return failure_print("process %d could not load %s: it may not be allowed to "
                             "read the file, or its libraries are too old",
                             (int)request->pid, request->library);
    struct tracee_call what = {function, target->restore, request->options, 0, &status};
    return call(target, tracee, &what) != 0 ? 1 : explain(request->pid, status);
}

static int attach(const struct attach_target *target,
                  const struct attach_request *request) {
    struct tracee tracee;
    if (find_thread(target, &tracee) != 0)
        return 1;
    int status = load(target, &tracee, request);
    if (status == 0)
        status = begin(target, &tracee, request);
    tracee_release(&tracee);
    return status;
}

int attach_process(const struct attach_request *request) {
    struct attach_target target;
    catch (SIGINT);
    catch (SIGTERM);
    catch (SIGHUP);
    if (attach_target_open(&target, request->pid, request->library) != 0)
        return 1;
    int status = attach_filters_check(&target);
    if (status == 0 && !attach_script_run(&target, request, &is_interrupted))
        status = attach(&target, request);
    attach_target_close(&target);
    return status;
}
