/* SPDX-License-Identifier: MIT */
/* What the kernel knows of a process. Allocates nothing; errno stays as it was; any
 * thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/* Clock ticks since boot at which the process started: field 22 of /proc/PID/stat
 * (proc(5)). With the pid it names a process, for a pid comes back. -errno when there
 * is no such process. */
must_check int process_start_time(uint32_t pid, uint64_t *ticks);

/* Of this process itself, whichever PID namespace /proc is of. */
must_check int process_own_start_time(uint64_t *ticks);

/* The PID namespace of this process: the inode of /proc/self/ns/pid, which getpid()'s
 * number belongs to. 0 where it cannot be read. */
uint64_t process_pid_namespace(void);

/* What programs call a process: its arguments as they stand in its memory, which some
 * overwrite, with a space between each two (PID/cmdline); and the name of its first
 * thread (PID/comm). `pid` 0: of this process. What does not fit is cut, and the rest
 * is filled with NULs. -errno with nothing changed, as where no file may be opened. */
must_check int process_title(uint32_t pid, char *title, size_t size);
must_check int process_comm(uint32_t pid, char *comm, size_t size);

/* The machine's boot, as text of 36 characters; empty where it cannot be read. */
void process_boot_id(char *buffer, size_t size);

/* Nanoseconds since the epoch. */
uint64_t process_clock(void);
