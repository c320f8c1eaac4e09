/* SPDX-License-Identifier: MIT */
/* What two copies of one run's dump say: by how much the lines of the program differ.
 * Two points say what grew from one to the other, and nothing about whether it goes on.
 *
 * For offline code; allocates; one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "collection/id_map.h"
#include "dump/dump_reader.h"
#include "profile/profile.h"

/* A line of the program's own; see leak_path.h. */
struct leak_change {
    struct frame frame;
    /* Of the later copy less the earlier one; estimates if blocks were sampled. */
    int64_t bytes, blocks;
};

struct leak_copies {
    uint32_t pid;
    double seconds; /* from one to the other */
    int64_t rss_bytes;
    struct leak_change total;    /* of all blocks; no frame */
    struct leak_change *changes; /* those that grew most first */
    size_t count;
    size_t capacity;
    struct id_map frames; /* (name, line) to its change */
};

/* Whether a dump has all processes of another one. */
bool leak_copies_contain(const struct dump_reader *reader,
                         const struct dump_reader *part);

/* Whether two dumps are of the same processes in the same run. */
bool leak_copies_match(const struct dump_reader *first,
                       const struct dump_reader *second);

/* When a dump was last written to, or copied: nanoseconds since 1970. */
uint64_t leak_copies_time(const struct dump_reader *reader);

/* Compares two profiles with one name table. 0 or -ENOMEM. To be closed in both
 * cases. */
must_check int leak_copies_open(struct leak_copies *copies,
                                const struct profile *earlier,
                                const struct profile *later);
void leak_copies_close(struct leak_copies *copies);
