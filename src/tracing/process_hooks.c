/* SPDX-License-Identifier: MIT */
/* The ends of a process of which no atexit handler hears: _exit, quick_exit and
 * exec. */
#include <alloca.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/sys.h"
#include "hooks/libc_real.h"
#include "hooks/signal_action.h"
#include "tracing/exec_window.h"
#include "tracing/process_end.h"
#include "tracing/traced_process.h"

exported void _exit(int status) {
    process_end(TRACEMALLOC_DUMP_EXITED, status & 0xff);
    sys_call(SYS_exit_group, status);
    __builtin_unreachable();
}

exported void _Exit(int status) {
    _exit(status);
}

exported void quick_exit(int status) {
    process_end(TRACEMALLOC_DUMP_EXITED, status & 0xff);
    libc_real_ready();
    libc_real.quick_exit(status);
    __builtin_unreachable();
}

/* Returns whether it blocked the signal of requests. */
static bool before_exec(char *const environment[]) {
    int saved_errno = errno;
    libc_real_ready();
    bool is_open = exec_window_open((int)tracemalloc_request_signal, environment);
    process_end(TRACEMALLOC_DUMP_EXEC, 0);
    signal_action_before_exec();
    errno = saved_errno;
    return is_open;
}

/* An exec returns only if it fails: undoes what before_exec did. */
static int exec_failed(bool is_open, int result) {
    int saved_errno = errno;
    signal_action_exec_failed();
    process_end_undo();
    if (is_open)
        exec_window_close((int)tracemalloc_request_signal);
    errno = saved_errno;
    return result;
}

exported int execve(const char *path, char *const argv[], char *const environment[]) {
    bool is_open = before_exec(environment);
    return exec_failed(is_open, libc_real.execve(path, argv, environment));
}

exported int execv(const char *path, char *const argv[]) {
    return execve(path, argv, environ);
}

exported int execvpe(const char *file, char *const argv[], char *const environment[]) {
    bool is_open = before_exec(environment);
    return exec_failed(is_open, libc_real.execvpe(file, argv, environment));
}

exported int execvp(const char *file, char *const argv[]) {
    return execvpe(file, argv, environ);
}

exported int execveat(int directory, const char *path, char *const argv[],
                      char *const environment[], int flags) {
    bool is_open = before_exec(environment);
    if (libc_real.execveat != NULL)
        return exec_failed(
            is_open, libc_real.execveat(directory, path, argv, environment, flags));
    return exec_failed(
        is_open, (int)syscall(SYS_execveat, directory, path, argv, environment, flags));
}

exported int fexecve(int fd, char *const argv[], char *const environment[]) {
    bool is_open = before_exec(environment);
    return exec_failed(is_open, libc_real.fexecve(fd, argv, environment));
}

static size_t count_arguments(va_list *rest) {
    size_t count = 1;
    while (va_arg(*rest, char *) != NULL)
        count++;
    return count;
}

/* Collects on the stack: a child of vfork must not allocate. */
static void collect(char **argv, const char *first, size_t count, va_list *rest) {
    argv[0] = (char *)first;
    for (size_t i = 1; i <= count; i++)
        argv[i] = va_arg(*rest, char *);
}

exported int execl(const char *path, const char *first, ...) {
    va_list rest;
    va_start(rest, first);
    size_t count = count_arguments(&rest);
    va_end(rest);
    char **argv = alloca((count + 1) * sizeof *argv);
    va_start(rest, first);
    collect(argv, first, count, &rest);
    va_end(rest);
    return execv(path, argv);
}

exported int execlp(const char *file, const char *first, ...) {
    va_list rest;
    va_start(rest, first);
    size_t count = count_arguments(&rest);
    va_end(rest);
    char **argv = alloca((count + 1) * sizeof *argv);
    va_start(rest, first);
    collect(argv, first, count, &rest);
    va_end(rest);
    return execvp(file, argv);
}

exported int execle(const char *path, const char *first, ...) {
    va_list rest;
    va_start(rest, first);
    size_t count = count_arguments(&rest);
    va_end(rest);
    char **argv = alloca((count + 1) * sizeof *argv);
    va_start(rest, first);
    collect(argv, first, count, &rest);
    char **environment = va_arg(rest, char **);
    va_end(rest);
    return execve(path, argv, environment);
}
