/* SPDX-License-Identifier: MIT */
/* What the kernel knows about a process. Allocates nothing; errno is unchanged; any
 * thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/* When the process started, in clock ticks since boot: field 22 of /proc/PID/stat
 * (proc(5)). Pid and start time identify a process, for a pid is reused. -errno if
 * there is no such process. */
must_check int process_start_time(uint32_t pid, uint64_t *ticks);

/* Of this process itself, whichever PID namespace /proc belongs to. */
must_check int process_own_start_time(uint64_t *ticks);

/* The PID namespace of this process, in which getpid() counts: the inode of
 * /proc/self/ns/pid. 0 if it cannot be read. */
uint64_t process_pid_namespace(void);

/* The title of a process: its arguments as they are in its memory now, for some
 * programs overwrite them, separated by spaces (/proc/PID/cmdline). The comm is the
 * name of its first thread (/proc/PID/comm). `pid` 0: of this process. Cuts what does
 * not fit, and fills the rest with NULs. 0; or -errno, as where no file may be opened,
 * and the text is unchanged. */
must_check int process_title(uint32_t pid, char *title, size_t size);
must_check int process_comm(uint32_t pid, char *comm, size_t size);

/* The id of the machine's boot, 36 characters; empty if it cannot be read. */
void process_boot_id(char *buffer, size_t size);

/* Bytes of this process: of its addresses, of what is resident, of that part of it
 * which is of files or shared, and of its data and stack (/proc/self/statm). Zeros if
 * they cannot be read. */
struct process_memory {
    uint64_t addresses, resident, shared, data;
};
struct process_memory process_memory_read(void);

/* Nanoseconds since the epoch. */
uint64_t process_clock(void);
