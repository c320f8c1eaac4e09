/* SPDX-License-Identifier: MIT */
/* Loads the library into a process that was started without it, and begins to trace.
 *
 * One of its threads is made to call dlopen, and then the library's own beginning, at
 * an instant when it holds no lock of libc or of the loader: when it waits for
 * something in a system call, or runs code that is neither libc's nor the loader's. No
 * other thread is stopped. Threads are looked at again and again until one is found
 * there.
 *
 * Offline code, one thread. SIGINT and SIGTERM end it, the process being let go.
 */
#pragma once

#include <sys/types.h>

#include "base/compiler.h"

struct attach_request {
    pid_t pid;
    const char *library; /* absolute path */
    const char *options; /* for the library: lines of NAME=VALUE */
};

/* 0; or 1 after saying why not. */
must_check int attach_process(const struct attach_request *request);
