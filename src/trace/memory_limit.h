/* SPDX-License-Identifier: MIT */
/* How much memory the process may use: the least of the memory limits of its cgroup and
 * the outer ones, RLIMIT_AS, RLIMIT_DATA, and what it has together with what the
 * machine has available.
 *
 * One caller at a time: the paths are in static memory. Nothing is allocated, errno is
 * unchanged.
 */
#pragma once

#include <stdint.h>

struct memory_limit {
    uint64_t bytes;  /* 0: none is known */
    uint32_t source; /* enum tracemalloc_dump_limit */
};

/* Asks for the resource limits, which hardly change: a sandbox may forbid it later. */
void memory_limit_open(void);
/* `resident`: bytes that the process has now. */
struct memory_limit memory_limit_read(uint64_t resident);

/* The least memory limit of a group and those around it. `mount`: where groups are
 * directories; `file`: what a limit is in. 0: none. */
uint64_t memory_limit_of_group(const char *mount, const char *group, const char *file);
