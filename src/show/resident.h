/* SPDX-License-Identifier: MIT */
/* What the resident memory of a process consists of: the blocks of its dump, what the
 * allocators keep around them, and what is no block. Of a process that runs, the kernel
 * says what its mappings are; of one that has ended, the dump says how much was pages
 * of files, and the rest is one part.
 *
 * For offline code; one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "output/json_writer.h"
#include "profile/profile.h"

enum resident_part {
    RESIDENT_PYTHON,      /* objects, and the interpreter's own blocks */
    RESIDENT_ARENAS_FREE, /* in the interpreter's arenas, but in no block */
    RESIDENT_LIBC,
    RESIDENT_LIBC_FREE, /* in libc's heaps, but in no block: freed, or of before
                           tracing; 0 if the process does not run */
    RESIDENT_OVERHEAD,  /* by which the allocators round blocks up */
    RESIDENT_MMAP,
    RESIDENT_SHARED, /* shared memory, and pages of files that the process changed */
    RESIDENT_FILES,  /* code and data of modules, and pages of other files; with
                        RESIDENT_SHARED if the process does not run */
    RESIDENT_STACKS,
    RESIDENT_TRACER, /* its tables and the dump's pages */
    RESIDENT_REST,
    RESIDENT_PARTS
};

/* Bytes. */
struct resident {
    uint64_t whole; /* as the kernel says; 0 if unknown, as for several processes */
    uint64_t parts[RESIDENT_PARTS];
    /* By how much the parts are more than the whole: blocks that were never touched, or
     * were swapped out. */
    uint64_t not_resident;
    uint64_t swapped;
    bool is_live;            /* by the mappings of a process that runs */
    unsigned stacks, arenas; /* of threads; 0 unless it is live */
};

/* Explains the resident memory of the dump of a profile, which is of PROFILE_NOW. Of a
 * process that runs, the kernel is asked. If only blocks of some births are reported,
 * these alone are parts, and the whole is unknown. */
void resident_find(struct resident *resident, const struct profile *profile);

/* Of blocks, whatever allocated them. */
uint64_t resident_blocks(const struct resident *resident);

/* Of at most 12 columns. */
const char *resident_label(enum resident_part part);

/* Adds the key with an object; what is unknown is null. */
void resident_add_json(struct json_writer *writer, const char *key,
                       const struct resident *resident);
