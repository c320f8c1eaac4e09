/* SPDX-License-Identifier: MIT */
/* Where the dump of the traced process is, in memory and on disk. Changed by
 * dump/dump_file and dump/dump_growth alone, under the tracer's lock.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "tracemalloc_dump.h"

struct dump_file {
    struct tracemalloc_dump_header *header;
    unsigned char *base[TRACEMALLOC_DUMP_SECTIONS];
    uint64_t mapped[TRACEMALLOC_DUMP_SECTIONS]; /* bytes */
    uint64_t reserved;                          /* bytes of addresses per section */
    bool is_reserved;  /* by a mapping without rights; else nothing else is there */
    uint64_t max_size; /* bytes the file may have */
    uint64_t device, inode;   /* of the file, to know it again */
    bool attached;            /* there is a file under it */
    bool no_holes;            /* the file system would fill what is ahead */
    uint64_t reach;           /* where the file ends: see dump/dump_growth.h */
    unsigned char *last_page; /* where the page before file_size is mapped */
    /* After growth failed: why, how often in a row, and how many calls to let pass
     * before the kernel is asked again. */
    int failure;
    uint32_t failures, rest;
    unsigned char *copy; /* between dump_file_before_fork and its end */
    uint64_t copy_size;
    char path[PATH_MAX]; /* absolute */
};
