/* SPDX-License-Identifier: MIT */
/* The dump that a living process is writing: found among the files that it has mapped,
 * and opened.
 *
 * Offline code, one thread. The process is not asked and does not notice. Owner of the
 * descriptor and of the path is the struct, until live_dump_close.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "process/process_status.h"
#include "tracemalloc_dump.h"

struct live_dump {
    bool loaded;    /* the process has the library */
    int fd;         /* -1: there is no dump that it traces into */
    uint64_t base;  /* where in `fd` the dump begins */
    bool is_memory; /* `fd` is the process's memory: the file has lost its name, and
                       only its header is within reach */
    char *path;     /* as the process named it; NULL without a dump */
    struct tracemalloc_dump_header header; /* as last read */
};

/* Looks at a process. 0, also when it has neither the library nor a dump; or -errno:
 * -EACCES when it may not be looked at, -ESRCH when it is gone. */
must_check int live_dump_open(struct live_dump *dump,
                              const struct process_status *process);

/* Reads the header again. 0 or -errno. */
must_check int live_dump_refresh(struct live_dump *dump);

void live_dump_close(struct live_dump *dump);
