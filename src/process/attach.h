/* SPDX-License-Identifier: MIT */
/* Loads the library into a process that was started without it, and begins to trace.
 *
 * A CPython 3.14 or later is asked to do so itself (attach_script.h). Otherwise, or if
 * it does not answer, one thread is made to call dlopen, and then the library, at an
 * instant when it holds no lock of libc or of the loader: when it waits for something
 * in a system call, or runs code that is neither libc's nor the loader's. No other
 * thread is stopped. Threads are tried again and again until one is found there.
 *
 * Offline code, one thread. SIGINT and SIGTERM end it, the process being let go.
 */
#pragma once

#include "base/compiler.h"
#include "process/attach_target.h"

/* 0; or 1 after saying why not. */
must_check int attach_process(const struct attach_request *request);
