/* SPDX-License-Identifier: MIT */
/* Asks a CPython 3.14 or later to run a script, by the interpreter's own interface for
 * debuggers (PEP 768): a path and a flag, written into the state of a thread, which the
 * interpreter looks at between two instructions.
 *
 *   _PyRuntime: struct of offsets → interpreters → thread state
 *   thread state: ... eval_breaker ... | pending, path[512] |
 *
 * Offline code, one thread. No thread is stopped. x86-64.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "process/remote_memory.h"

struct remote_script {
    pid_t pid;
    uint64_t support;      /* of the thread that is asked: where pending is */
    uint64_t eval_breaker; /* likewise */
};

/* Finds the first thread of the main interpreter. 0; -ENOENT: no such interpreter;
 * -EACCES: it does not listen (-X disable-remote-debug); -errno. */
must_check int remote_script_open(struct remote_script *script, pid_t pid,
                                  const struct remote_mappings *mappings);
/* Asks it to run the file at this path. 0; -ENAMETOOLONG; -EBUSY: another program
 * has asked; -errno. */
must_check int remote_script_ask(const struct remote_script *script, const char *path);
/* Takes that back. False if the thread has begun. */
must_check bool remote_script_withdraw(const struct remote_script *script);
