/* SPDX-License-Identifier: MIT */
/* Whether the process that writes a dump is still running.
 *
 * For offline code, any thread, no locks; reads /proc. A process of this PID namespace
 * and boot is identified by its pid and its start time, because pids are reused. For
 * any other, the kernel reports whether a process in any namespace has the file open or
 * mapped for writing: it then refuses a read lease (fcntl(2)). That works only for the
 * file's owner or with CAP_LEASE, and not on every file system.
 */
#pragma once

#include <sys/types.h>

#include "tracemalloc_dump.h"

enum dump_process_state {
    DUMP_PROCESS_RUNS,
    DUMP_PROCESS_IS_GONE, /* or a zombie */
    DUMP_PROCESS_UNKNOWN, /* it cannot be seen from here */
};

/* `fd` is the dump, open for reading only; -1 if it is not open. */
enum dump_process_state dump_process_find(const struct tracemalloc_dump_header *header,
                                          int fd);

/* The pid of the process in /proc here; 0 if it cannot be seen. */
pid_t dump_process_pid(const struct tracemalloc_dump_header *header);
