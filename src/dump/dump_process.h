/* SPDX-License-Identifier: MIT */
/* Whether the process that a dump is of still runs.
 *
 * For offline code, any thread, no locks; reads /proc. A process of our PID namespace
 * and boot is named by its pid and the time of its start, for a pid comes back. Of any
 * other, the kernel says whether a process has the file open or mapped for writing, in
 * whatever namespace: it then refuses a lease for reading (fcntl(2)). It tells
 * only the file's owner or a process with CAP_LEASE, and not on every file system.
 */
#pragma once

#include <sys/types.h>

#include "tracemalloc_dump.h"

enum dump_process_state {
    DUMP_PROCESS_RUNS,
    DUMP_PROCESS_IS_GONE, /* also one that has died and was not waited for */
    DUMP_PROCESS_UNKNOWN, /* it cannot be seen from here */
};

/* `fd`: the dump, open for reading alone; -1: without the file. */
enum dump_process_state dump_process_find(const struct tracemalloc_dump_header *header,
                                          int fd);

/* The number that the process has here, in /proc; 0 where it is not seen. */
pid_t dump_process_pid(const struct tracemalloc_dump_header *header);
