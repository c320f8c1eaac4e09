/* SPDX-License-Identifier: MIT */
/* What the resident memory of a running process consists of, as the kernel describes
 * its mappings (/proc/PID/smaps).
 *
 * Offline code, one thread; allocates, and nothing stays allocated. The process is not
 * disturbed; it may change while its mappings are read.
 *
 * The kernel does not say what anonymous memory is for. A thread's stack is known by
 * the guard below it, a heap of libc by its alignment and the reserve above it:
 *
 *   ---p  guard                64 MiB  rw-p  heap of an arena of threads
 *   rw-p  stack                        ---p  its reserve
 *                              64 MiB
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"

/* Bytes that are resident. */
struct memory_map {
    uint64_t whole;
    uint64_t modules; /* code and data of programs and libraries */
    uint64_t files;   /* pages of other files, as they are on disk */
    uint64_t shared;  /* shared memory, memfds, and pages of files that were changed */
    uint64_t shared_anonymous; /* of that: memory mapped without a file */
    uint64_t stacks;
    uint64_t heap;      /* libc's: of the break, and of its arenas */
    uint64_t anonymous; /* other private memory */
    uint64_t tracer;    /* the library and the dump */
    uint64_t swapped;   /* not resident */
    unsigned stack_count;
    unsigned arena_count; /* heaps of arenas of threads */
};

/* Reads the mappings of a process that writes the dump with this inode. 0; or -errno:
 * -EACCES if the caller may not examine it, -ENOMEM. */
must_check int memory_map_read(struct memory_map *map, pid_t pid, uint64_t dump_inode);
