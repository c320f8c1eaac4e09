/* SPDX-License-Identifier: MIT */
/* Where the dump of the traced process is, in memory and on disk. Only dump/dump_file,
 * dump/dump_growth and dump/dump_fork change it, under the tracer's lock.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/machine.h"
#include "tracemalloc_dump.h"

/* Bytes that the header takes, in memory and in the file: the first section follows on
 * a page of its own. */
static always_inline uint64_t dump_memory_header(void) {
    return machine_whole_pages(TRACEMALLOC_DUMP_HEADER_SIZE);
}

/* A copy of the dump for a forked child; changed by dump/dump_fork alone. */
struct dump_fork_image {
    unsigned char *image; /* what the parent writes, and reads no more; or NULL */
    unsigned char *view;  /* what the child takes: without rights in the parent, where
                             it is another mapping; or the image itself */
    uint64_t size;        /* bytes of each */
    uint64_t used[TRACEMALLOC_DUMP_SECTIONS]; /* bytes that were copied last */
    uint64_t mapped[TRACEMALLOC_DUMP_SECTIONS];
    struct dump_fork_holder *holder; /* of an image that is kept; in a child, of the
                                        one that its tables are in */
    bool is_child; /* the tables are in a view of the parent's image */
};

struct dump_file {
    struct tracemalloc_dump_header *header;
    unsigned char *base[TRACEMALLOC_DUMP_SECTIONS];
    uint64_t mapped[TRACEMALLOC_DUMP_SECTIONS]; /* bytes */
    uint64_t reserved;                          /* bytes of addresses per section */
    bool is_reserved;  /* the whole range is reserved by a mapping without rights */
    uint64_t max_size; /* of the file, in bytes */
    uint64_t device, inode;   /* of the file, to recognise it */
    bool attached;            /* the dump is in a file, not in anonymous memory */
    bool no_holes;            /* the file system has none: the file ends at file_size */
    uint64_t reach;           /* the end of the file: see dump/dump_growth.h */
    unsigned char *last_page; /* where the page before file_size is mapped */
    /* After growth failed: -errno, failures in a row, and how many calls to skip before
     * the kernel is asked again. */
    int failure;
    uint32_t failures, rest;
    struct dump_fork_image fork;
    char path[PATH_MAX]; /* absolute */
};
