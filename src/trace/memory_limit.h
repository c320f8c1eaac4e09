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
/* RLIMIT_AS or RLIMIT_DATA, as memory_limit_open found it; 0: none. */
uint64_t memory_limit_of_resource(uint32_t source);

/* Of a version of cgroups: where the groups are directories, the names of two files in
 * each, and which lines of its memory.stat have file pages, which the kernel takes back
 * before it kills. */
struct memory_limit_files {
    const char *mount, *limit, *used, *inactive, *active;
};

/* Calls `found` with the limit of each group, its files, and the path of the one that
 * has the limit; then with the machine's, and NULL. `resident`: as before. */
typedef void memory_limit_found(const struct memory_limit *limit,
                                const struct memory_limit_files *of, const char *path);
void memory_limit_each(uint64_t resident, memory_limit_found *found);

/* The number that a file begins with, and the one after a name in a text; 0 if there is
 * none. */
uint64_t memory_limit_number(const char *path);
uint64_t memory_limit_number_after(const char *text, const char *name);
