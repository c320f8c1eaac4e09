/* SPDX-License-Identifier: MIT */
/* How much of a range of addresses is in memory, asked of the kernel.
 *
 * From Linux 6.7 on the kernel itself walks over what is absent, so that a terabyte of
 * reserved addresses costs microseconds; before, mincore takes a third of a second for
 * it. Any thread, one at a time for each struct; nothing is allocated, and errno stays.
 * A descriptor is open from resident_open to resident_close only, which are to be in
 * one function.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct resident {
    int fd; /* of /proc/self/pagemap, or -errno: then mincore is asked */
};

void resident_open(struct resident *resident);
/* Bytes of the pages in memory. Parts that are not mapped count nothing. */
uint64_t resident_bytes(const struct resident *resident, uintptr_t start,
                        size_t length);
void resident_close(struct resident *resident);
