/* SPDX-License-Identifier: MIT */
/* How much of the memory that the process may use is in use.
 *
 * Of a cgroup, which other processes may share, what the kernel cannot take back by
 * dropping file pages counts; of RLIMIT_AS the addresses, of RLIMIT_DATA the data, of
 * the machine what is resident. One caller at a time: paths and texts are in static
 * memory. Nothing is allocated, errno is unchanged.
 */
#pragma once

#include <stdint.h>

struct memory_use {
    uint64_t used, limit; /* bytes, of the limit that is nearest; 0: there is none */
    uint32_t source;      /* enum tracemalloc_dump_limit */
    uint64_t resident;    /* bytes of this process */
};

/* Reads anew which groups have limits, and what the machine has available. */
void memory_use_find_limits(void);
/* Of the limit of which the greatest part is in use. Of a group of which less than
 * `percent` are in use, file pages count as well. */
struct memory_use memory_use_read(unsigned percent);
