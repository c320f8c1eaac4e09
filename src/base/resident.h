/* SPDX-License-Identifier: MIT */
/* How much of a range of addresses is in memory, as the kernel says.
 *
 * From Linux 6.7 on the kernel itself skips what is absent, and a terabyte of reserved
 * addresses costs microseconds; on older ones mincore takes a third of a second for it.
 * Any thread, one at a time for each struct; nothing is allocated, errno is unchanged.
 * A descriptor is open only from resident_open to resident_close, which the caller
 * calls within one function.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct resident {
    int fd; /* of /proc/self/pagemap; or -errno, and mincore is used */
};

void resident_open(struct resident *resident);
/* Bytes of the pages that are in memory. Unmapped parts count nothing. */
uint64_t resident_bytes(const struct resident *resident, uintptr_t start,
                        size_t length);
void resident_close(struct resident *resident);
