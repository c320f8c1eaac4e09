/* SPDX-License-Identifier: MIT */
/* Finds and opens the dump that a running process is writing, among the files that it
 * has mapped.
 *
 * Offline code, one thread. The process is not disturbed. The struct owns the
 * descriptor and the path until live_dump_close.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "process/process_status.h"
#include "tracemalloc_dump.h"

struct live_dump {
    bool loaded;    /* whether the process has the library loaded */
    int fd;         /* -1 if the process is not writing a dump */
    uint64_t base;  /* offset of the dump in `fd` */
    bool is_memory; /* `fd` is the process's memory because the file was deleted; only
                       the header can be read */
    char *path;     /* as the process sees it; NULL without a dump */
    struct tracemalloc_dump_header header; /* as last read */
};

/* Examines a process. 0, even if it has neither the library nor a dump; or -errno:
 * -EACCES if the caller may not examine it, -ESRCH if it is gone. */
must_check int live_dump_open(struct live_dump *dump,
                              const struct process_status *process);

/* Reads the header again. 0 or -errno. */
must_check int live_dump_refresh(struct live_dump *dump);

void live_dump_close(struct live_dump *dump);
