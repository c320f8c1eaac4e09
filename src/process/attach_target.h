/* SPDX-License-Identifier: MIT */
/* A process that runs without the library, and what has to be known of it to load the
 * library into it.
 *
 * Offline code, one thread; nothing of the process is changed. Functions that return 0
 * or 1 have said why by failure_print when it is 1.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "process/process_status.h"
#include "process/remote_memory.h"

struct attach_request {
    pid_t pid;
    const char *library; /* absolute path */
    const char *options; /* for the library: lines of NAME=VALUE */
};

struct attach_target {
    struct process_status status;
    struct remote_mappings mappings;
    uint64_t open;    /* address of dlopen */
    uint64_t restore; /* of __restore_rt */
    bool is_loaded;   /* the library is there already, and idle */
};

/* Checks the process, and that it sees the library at this absolute path. To be closed
 * only after 0. */
must_check int attach_target_open(struct attach_target *target, pid_t pid,
                                  const char *library);
void attach_target_close(struct attach_target *target);

/* The address of a function of the library; 0 if it is not loaded. */
uint64_t attach_target_function(const struct attach_target *target, const char *name);

/* Whether code at this address holds no lock of libc, of the loader or of an
 * allocator: code of a file that is none of them. */
bool attach_target_is_free(const struct attach_target *target, uint64_t address);
/* Whether it is the loader's. */
bool attach_target_is_loader(const struct attach_target *target, uint64_t address);

/* Says why ptrace or process_vm_readv refused with this error. Returns 1. */
must_check int attach_target_refuse(const struct attach_target *target, int error);
